"""Preference pairs → reference log-probabilities, once per base → adapters."""
