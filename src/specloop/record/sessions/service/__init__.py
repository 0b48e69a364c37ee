"""Use cases of recorded sessions, one file per group of verbs."""
