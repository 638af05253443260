"""`trainyard run`: a job as local processes, from the user's side of the program that runs it."""
