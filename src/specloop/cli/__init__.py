"""The command line: one file per group. Client commands speak HTTP to a server, as any other client would."""

from specloop.cli.root import Program, build, run

__all__ = ["Program", "build", "run"]
