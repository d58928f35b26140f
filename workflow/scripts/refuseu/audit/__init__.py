"""The manual audit: sheets for annotators, and what they returned."""
