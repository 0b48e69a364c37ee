"""Agents on the wire (spectral.md §1.3 router 5)."""
