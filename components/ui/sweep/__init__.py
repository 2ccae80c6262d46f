"""The parts of the sweep page: axes, plan, live grid, and what the sweep says."""
