"""Tables: files with named columns, and how their rows become the numbers that a model takes."""
