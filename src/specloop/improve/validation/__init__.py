"""Validation: the sealed-holdout gates a change set must pass (spectral.md §2.5)."""
