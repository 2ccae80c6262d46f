"""Who may come in, where people log in."""
