"""Formats and packaged data sets: one reader each."""
