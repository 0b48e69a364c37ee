"""Sends local sessions to a server over SpecStory's routes, as any client would; knows no store of the server."""
