"""What the operator sees when the server is ready."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from specloop import __version__
from specloop.transport.net import ListenAddress


@dataclass(frozen=True, slots=True)
class Greeting:
    """The facts of a start; `setup_url` is there only while nobody has an account."""

    addresses: Sequence[ListenAddress]
    data: str
    state: str
    telemetry: str
    fingerprint: str
    setup_url: str | None


def greet(greeting: Greeting, console: Console | None = None) -> None:
    """Print them, one per line."""
    out = console or Console(stderr=True, highlight=False)
    out.print(Text.assemble(("Specloop ", "bold"), __version__, " is ready"))
    for address in greeting.addresses:
        out.print(f"  http://{address}   https://{address}", soft_wrap=True)
    for name in ("data", "state", "telemetry"):
        out.print(Text.assemble((f"  {name:<12}", "dim"), str(getattr(greeting, name))), soft_wrap=True)
    out.print(Text.assemble(("  certificate ", "dim"), f"SHA-256 {greeting.fingerprint}"), soft_wrap=True)
    if greeting.setup_url:
        out.print(
            Text.assemble(("  Make the owner account (works once): ", "bold"), greeting.setup_url), soft_wrap=True
        )
