"""Scans: one run of the optimisation loop over an agent (spectral.md §2)."""
