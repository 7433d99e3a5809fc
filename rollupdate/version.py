"""The version of the tool, in one place. No imports."""

__version__ = "0.1.0"
