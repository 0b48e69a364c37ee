"""All operators. An operator registers itself: a module here that defines `OPERATORS`. This file names none."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from specloop.improve.scans.operators.operator import Operator
from specloop.run.runtime import Component


@cache
def all_operators() -> tuple[Operator, ...]:
    """Every installed operator in name order."""
    package = importlib.import_module(__package__ or "")
    found: list[Operator] = []
    for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        found.extend(getattr(importlib.import_module(info.name), "OPERATORS", ()))
    return tuple(sorted(found, key=lambda operator: operator.name))


def operators_for(components: Mapping[str, Component]) -> tuple[Operator, ...]:
    """The operators whose component roles all exist in a search space."""
    roles = {component.role for component in components.values()}
    return tuple(operator for operator in all_operators() if operator.roles <= roles)


def operators_treating(kind: str) -> tuple[str, ...]:
    """Names of the operators made for a failure kind, specific ones first."""
    treating = [o for o in all_operators() if not o.kinds or kind in o.kinds]
    return tuple(o.name for o in sorted(treating, key=lambda o: (not o.kinds, o.name)))
