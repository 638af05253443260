"""Models that rebuild rows: an architecture a module, behind one protocol."""
