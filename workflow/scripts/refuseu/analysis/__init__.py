"""Records → estimates with intervals, comparisons, claims: numbers, no pages."""
