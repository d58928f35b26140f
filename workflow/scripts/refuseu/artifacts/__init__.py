"""Numbers → tables, figures, the report: pages, no new numbers."""
