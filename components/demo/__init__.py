"""What keeps a Tempera that stands on the internet within its means: limits, budgets, a queue, a switch."""
