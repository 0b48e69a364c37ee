"""Rubrics: what good means, as dimensions scored by judges (spectral.md §1.1)."""
