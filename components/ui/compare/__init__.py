"""The parts of the compare page: lanes, numbers, differences and noise."""
