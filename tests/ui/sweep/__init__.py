"""Tests of the sweep page's parts."""
