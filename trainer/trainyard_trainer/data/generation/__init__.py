"""New training rows for rare classes."""
