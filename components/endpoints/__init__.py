"""The endpoints that whoever runs Tempera has configured: where they are, what they speak, who holds their keys."""
