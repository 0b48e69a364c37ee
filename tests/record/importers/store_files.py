"""What all small transcripts share: the folder that the agents worked in, and how files are put down."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from specloop.kit import json

FOLDER = "/home/dev/demo"


def lines(records: Iterable[Any]) -> bytes:
    """JSON lines."""
    return b"".join(json.dumps(record) + b"\n" for record in records)


def put(path: Path, body: bytes) -> Path:
    """The file, written with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return path
