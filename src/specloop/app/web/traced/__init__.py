"""How traces are shown: filters of the list, the waterfall, one span, what was said about it. Pure; no services."""
