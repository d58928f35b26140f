"""What of the documentation is written from rules, schemas and declarations: `python -m refdocs` (make reference)."""
