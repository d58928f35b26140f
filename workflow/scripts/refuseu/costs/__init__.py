"""What the study would still cost, and what its journals hold."""
