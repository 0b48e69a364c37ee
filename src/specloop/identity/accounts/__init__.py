"""Accounts and the people in them: profiles, roles, passwords, usage, export and deletion."""
