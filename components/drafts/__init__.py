"""What a person is composing, before it becomes a request, and where it is kept."""
