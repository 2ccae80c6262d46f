"""Tests of the Runs page's parts."""
