"""All SQL of recorded sessions, one file per purpose. Every read starts from the caller's own rows."""
