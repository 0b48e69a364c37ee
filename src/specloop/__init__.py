"""Specloop: specify, run, record and improve software built with AI agents, on your own machine.

The stages live in the folders of the same names; `specloop.main` builds the program from its settings.
"""

__version__ = "0.1.0"
