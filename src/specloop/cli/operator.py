"""What commands for the operator ask of the program: changes made straight in the state store of this machine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer

from specloop.settings import Settings, load

Data = Annotated[Path | None, typer.Option(help="Data folder of the server; default: as `specloop up` takes it.")]
Config = Annotated[Path | None, typer.Option(help="Settings file; default: ./specloop.toml")]


class Code(Protocol):
    """A one-time code."""

    @property
    def code(self) -> str:
        """Its six characters."""
        ...

    @property
    def expires_at(self) -> datetime:
        """Until when it is good."""
        ...


class Archive(Protocol):
    """What a backup holds."""

    @property
    def facts(self) -> dict[str, Any]:
        """When it was made, and by which version."""
        ...

    @property
    def files(self) -> dict[str, str]:
        """The SHA-256 of each file by name."""
        ...


class Operator(Protocol):
    """Works on the stores that the settings name."""

    def make_device_code(self, settings: Settings, email: str) -> Code:
        """A fresh device code for the user."""
        ...

    def make_reset_link(self, settings: Settings, email: str) -> str:
        """The address where the user sets a new password."""
        ...

    def make_staff(self, settings: Settings, email: str) -> None:
        """Give the user the operations role."""
        ...

    def restore_account(self, settings: Settings, account_id: str) -> None:
        """Open a closed account again."""
        ...

    def rotate_signing_key(self, settings: Settings) -> str:
        """Sign tokens with a new key; returns its id."""
        ...

    def reindex(self, settings: Settings, tell: Callable[[int, int], None]) -> int:
        """Make the search index anew, telling how many sessions of how many are done; returns their number."""
        ...

    def back_up(self, settings: Settings, target: Path) -> Archive:
        """Write the data folder into an archive."""
        ...

    def restore(self, source: Path, folder: Path) -> Archive:
        """Make a data folder from an archive."""
        ...


def operator_of(context: typer.Context) -> Operator:
    """The program's operator."""
    return context.obj.operator()


def settings_of(data: Path | None, config: Path | None) -> Settings:
    """The settings of the server on this machine."""
    return load({"data": data}, config).settings
