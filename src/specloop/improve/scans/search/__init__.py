"""The search: from a base config, train and val samples to the best config found within a budget (spectral.md §2.3)."""
