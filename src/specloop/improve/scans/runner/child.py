"""The search process: `python -m specloop.improve.scans.runner.child`. Spec in by stdin, messages out by stdout.

It inherits no handle of a store. When stdin ends, the parent is gone and so is the reason to go on.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import BinaryIO

from specloop.improve.scans.runner.searching import Searching
from specloop.improve.scans.runner.spec import STOP, SearchSpec
from specloop.kit import json


def main() -> None:
    """Run one search."""
    messages = _own_stdout()
    spec = SearchSpec(**json.loads(sys.stdin.buffer.readline()))
    lock = threading.Lock()

    def send(message: dict[str, object]) -> None:
        with lock:
            messages.write(json.dumps(message) + b"\n")
            messages.flush()

    searching = Searching(spec, send)
    threading.Thread(target=_listen, args=(searching,), daemon=True).start()
    searching.run()
    os._exit(0)  # the listener still reads stdin, which an orderly end of the interpreter would trip over


def _own_stdout() -> BinaryIO:
    """A private copy of stdout; prints of libraries go to stderr, so that they cannot break the messages."""
    copy = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return copy


def _listen(searching: Searching) -> None:
    for line in sys.stdin.buffer:
        if line == STOP:
            searching.stop()
    os._exit(3)


if __name__ == "__main__":
    main()
