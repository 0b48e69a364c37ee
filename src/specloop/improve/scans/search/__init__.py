"""The search: from a base config, train and val samples to the best config found within a budget (spectral.md §2.3).

Import `run_search` from `specloop.improve.scans.search.engine`, values from `.model`.
"""
