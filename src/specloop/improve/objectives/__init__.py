"""Objectives: how rubric scores become the one number that is maximised, and its guardrails (spectral.md §1.1)."""
