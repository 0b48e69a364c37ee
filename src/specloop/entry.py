"""The `specloop` command. Light on purpose: client commands must not wait for the server's libraries to load."""

from __future__ import annotations

import gc
from importlib import import_module
from typing import cast

from specloop import cli
from specloop.cli.doctor import Finding
from specloop.cli.operator import Operator
from specloop.settings import BadSetting, Settings


def _serve(settings: Settings) -> int:
    _check_listeners(settings)
    # Nearly all that loading makes stays for good; looking for garbage in it was a sixth of the time until ready.
    # `specloop.main` turns the collector on again.
    gc.disable()
    return import_module("specloop.main").serve(settings)


def _check_listeners(settings: Settings) -> None:
    """Say what is plainly wrong at once, not after the seconds that the server's libraries take."""
    net = import_module("specloop.transport.net")
    for text in settings.listen:
        try:
            net.parse_listen_address(text)
        except net.BadListenAddress as error:
            raise BadSetting(f"listen: {error.detail}") from None


def _diagnose(settings: Settings, is_deep: bool) -> list[Finding]:
    import_module("specloop.kit.log").configure("console", "error")
    findings: list[Finding] = import_module("specloop.app.diagnosis").diagnose(settings)
    return [*findings, *import_module("specloop.app.integrity").inspect(settings)] if is_deep else findings


def _operator() -> Operator:
    import_module("specloop.kit.log").configure("console", "error")
    return cast(Operator, import_module("specloop.app.operating"))


def main() -> None:
    """Run the command line."""
    cli.run(cli.Program(serve=_serve, diagnose=_diagnose, operator=_operator))
