"""The `specloop` command. Light on purpose: client commands must not wait for the server's libraries to load."""

from __future__ import annotations

from importlib import import_module

from specloop import cli
from specloop.cli.devices import Code
from specloop.cli.doctor import Finding
from specloop.settings import Settings


def _serve(settings: Settings) -> int:
    return import_module("specloop.main").serve(settings)


def _diagnose(settings: Settings) -> list[Finding]:
    return import_module("specloop.main").diagnose(settings)


def _make_device_code(settings: Settings, email: str) -> Code:
    return import_module("specloop.main").make_device_code(settings, email)


def main() -> None:
    """Run the command line."""
    cli.run(cli.Program(serve=_serve, diagnose=_diagnose, make_device_code=_make_device_code))
