"""What keeps one visitor from taking the machine from the others. It knows nothing of what they do here."""
