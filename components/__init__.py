"""Everything that works in Tempera; the pages only arrange it."""

__version__ = "1.0.0"
