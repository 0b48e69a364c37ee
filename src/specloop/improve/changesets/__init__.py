"""Change sets: proposed edits with their evidence, decided by people or bounded autonomy (spectral.md §1.2.2)."""
