"""Benchmarks → responses → labels, verdicts, outcomes, ratings and knowledge."""
