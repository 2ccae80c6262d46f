"""Everything that works in Tempera; the pages only arrange it."""

__version__ = "0.2.0"
