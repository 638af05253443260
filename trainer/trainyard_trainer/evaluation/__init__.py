"""Metrics on held-out rows, by task."""
