"""The parts of the playground page: run bar, actions of the answer, request preview."""
