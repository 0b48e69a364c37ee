"""The suites and clients of `check_external.py`, one file per surface."""
