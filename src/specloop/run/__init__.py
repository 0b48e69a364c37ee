"""The run stage: agents, the runtimes that execute them, and what they need while they run."""
