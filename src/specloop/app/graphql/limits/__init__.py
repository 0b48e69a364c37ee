"""The bounds of GraphQL requests and the checks that refuse what breaks them."""

from __future__ import annotations

from specloop.app.graphql.limits.bounds import BOUNDS, Bounds, TooCostly, refuse
from specloop.app.graphql.limits.cost import CostMeter
from specloop.app.graphql.limits.shape import FragmentCycle, check_shape

__all__ = ["BOUNDS", "Bounds", "CostMeter", "FragmentCycle", "TooCostly", "check_shape", "refuse"]
