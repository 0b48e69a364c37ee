"""Sessions of coding agents: what was said, done and changed, kept and searchable."""
