"""Login: which people may use Tempera."""
