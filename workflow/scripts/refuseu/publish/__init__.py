"""What leaves a study: models with their cards, and bundles of results."""
