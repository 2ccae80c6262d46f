"""The parts of the sweep page: axes, plan, live grid and results."""
