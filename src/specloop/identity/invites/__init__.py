"""Invitations into an account and its workspaces."""
