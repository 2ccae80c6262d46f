"""Who may use Tempera, where people log in."""
