"""Use cases of workspaces, one file per verb group."""
