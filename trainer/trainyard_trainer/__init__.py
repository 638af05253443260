"""What runs in Trainyard's training and compression pods."""
