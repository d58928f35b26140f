"""Seeds → prompts → preference pairs and test prompts; the released dataset; what the halves share."""
