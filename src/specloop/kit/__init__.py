"""Small mechanisms, one per file, that know nothing of the product's domains."""
