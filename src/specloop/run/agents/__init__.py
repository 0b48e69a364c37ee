"""Agents: the registry of what runs, each with immutable config versions of which one is promoted."""
