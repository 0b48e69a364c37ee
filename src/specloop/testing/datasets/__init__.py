"""Public data sets, read from installed packages for demonstrations and benchmarks."""
