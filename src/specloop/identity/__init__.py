"""One identity for every surface: accounts, workspaces, credentials, and what they allow."""
