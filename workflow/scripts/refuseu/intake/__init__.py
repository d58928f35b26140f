"""Models from outside, made into folders as everything downstream reads them."""
