"""The configured endpoints: addresses, dialects, keys, models and health."""
