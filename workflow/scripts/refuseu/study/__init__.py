"""Config and sheets as typed rows, checked; which runs an artifact shows."""
