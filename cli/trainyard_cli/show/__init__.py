"""How a job looks to people: from a TrainingJobStatus, wherever the job runs."""
