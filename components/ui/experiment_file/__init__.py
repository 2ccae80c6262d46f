"""Experiments as files on the Compare and Sweep pages, and the rules of an experiment: checks, limits, tolerances."""
