"""Use cases of signing in: `entrance`, `registration`, `recovery`, `profile`."""
