"""Tallybook: a verification desk for verified-removal agreements."""

__version__ = "0.1.0"
