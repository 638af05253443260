"""`make demo`: the main job on a real cluster on this machine, from data to predictions."""
