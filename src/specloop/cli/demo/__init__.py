"""`specloop demo`: the whole loop once, on real data, as a client of a server that it starts."""

from specloop.cli.demo.command import demo

__all__ = ["demo"]
