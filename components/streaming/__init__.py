"""One answer, from the socket to timed chunks: the call, its limits, its faults and how it ended."""
