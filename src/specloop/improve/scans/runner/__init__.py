"""Runs one scan: the search in a process of its own, its events and results into the state store.

The search gets train and val samples as values and has no way to a database (spectral.md §1.4 invariant 5).
"""
