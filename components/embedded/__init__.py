"""The embedded endpoint: a small model on this machine that speaks the contract, so Tempera works out of the box."""
