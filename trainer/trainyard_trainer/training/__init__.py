"""Training by a gang of workers: the strategy, the steps, the checkpoints, the loop."""
