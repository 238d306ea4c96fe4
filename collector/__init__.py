"""Headwater: an open event collector."""

__version__ = "0.1.0"
