"""Evaluates outputs: samples in, scores out. Search and validation both stand on it and never on each other."""
