"""Which judge a rubric dimension means. A judge registers itself: a module here that defines `JUDGE`.

This file must not name any judge.
"""

import importlib
import pkgutil
from functools import cache

from specloop.improve.rubrics.judges.judge import Judge


class UnknownJudge(LookupError):
    """No judge of this name is installed."""


@cache
def _judges() -> dict[str, Judge]:
    package = importlib.import_module(__package__ or "")
    found: dict[str, Judge] = {}
    for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        judge: Judge | None = getattr(importlib.import_module(info.name), "JUDGE", None)
        if judge is not None:
            found[judge.ref] = judge
    return found


def judge_refs() -> tuple[str, ...]:
    """The names of all code judges, sorted."""
    return tuple(sorted(_judges()))


def judge_for(ref: str) -> Judge:
    """The judge named `ref`. Raises: UnknownJudge, naming the judges there are."""
    try:
        return _judges()[ref]
    except KeyError:
        raise UnknownJudge(f"no judge {ref!r}; installed: {', '.join(judge_refs())}") from None
