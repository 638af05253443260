"""The data sets of the examples: where they can be had, and how they are checked."""
