"""The parts of the compare page: lanes, their results, noise and votes."""
