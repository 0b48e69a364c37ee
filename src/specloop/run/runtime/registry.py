"""Which runtime serves which kind. A runtime registers itself: a module or package here that defines `RUNTIME`.

This file must not name any runtime.
"""

import importlib
import pkgutil
from functools import cache

from specloop.run.runtime.runtime import AgentRuntime


class UnknownRuntime(LookupError):
    """No runtime of this kind is installed."""


@cache
def _runtimes() -> dict[str, AgentRuntime]:
    package = importlib.import_module(__package__ or "")
    found: dict[str, AgentRuntime] = {}
    for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        runtime: AgentRuntime | None = getattr(importlib.import_module(info.name), "RUNTIME", None)
        if runtime is not None:
            found[runtime.kind] = runtime
    return found


def runtime_kinds() -> tuple[str, ...]:
    """The kinds that can be run in this process, sorted."""
    return tuple(sorted(_runtimes()))


def runtime_for(kind: str) -> AgentRuntime:
    """The runtime of `kind`. Raises: UnknownRuntime, naming the kinds there are."""
    try:
        return _runtimes()[kind]
    except KeyError:
        raise UnknownRuntime(f"no runtime {kind!r}; installed: {', '.join(runtime_kinds())}") from None
