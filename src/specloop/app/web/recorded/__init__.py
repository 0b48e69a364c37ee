"""Pages of recorded coding sessions: lists and search, the reader, projects, shared sessions."""
