"""The use cases of the search, one file per group."""
