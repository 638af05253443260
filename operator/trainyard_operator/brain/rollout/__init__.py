"""A revision's way to traffic, and back."""
