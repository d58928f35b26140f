"""The miniature's world of texts, and the models that it trains from nothing."""
