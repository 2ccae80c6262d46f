"""The parts of the compare page: lanes, their numbers, what differs, and whether it is more than noise."""
