"""Samples: versioned sets of tasks, split so that proof stays separate from search (spectral.md §2.1)."""
