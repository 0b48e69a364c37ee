"""Use cases of agents, one file per verb group."""
