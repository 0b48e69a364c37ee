"""All SQL of agents, one file per table group."""
