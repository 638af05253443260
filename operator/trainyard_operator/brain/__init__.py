"""What is to be done for a job: pure, without clock, network, disk or randomness."""
