"""All SQL of scans: the runs with events and checkpoints, and what they found. Reads start from the workspace."""
