"""Usage with its cost: what the sender told, else what the price list says. Pure rules; groups share one rate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from decimal import Decimal

from specloop.record.prices import TokenUsage, rates_of
from specloop.record.traces.model import Span, Usage, UsageGroup

_COUNTS = tuple(field.name for field in fields(Usage) if field.name not in {"cost_usd", "calls_unpriced"})
_NOT_CALLS = frozenset({"invoke_agent", "create_agent", "invoke_workflow", "execute_tool", ""})


def is_model_call(operation: str) -> bool:
    """Whether spans of that operation call a model themselves."""
    return operation not in _NOT_CALLS


def usage_of(groups: Iterable[UsageGroup]) -> Usage:
    """The usage of all `groups` together; of the calls among them, when there are any."""
    kept = list(groups)
    if any(group.is_call for group in kept):
        kept = [group for group in kept if group.is_call]
    costs = [_cost(group) for group in kept]
    known = [cost for cost, _ in costs if cost is not None]
    totals = {name: _sum([getattr(group.tokens, name) for group in kept]) for name in _COUNTS}
    unpriced = sum(calls for _, calls in costs)
    return Usage(**totals, cost_usd=sum(known, Decimal(0)) if known else None, calls_unpriced=unpriced)


def priced(span: Span) -> Span:
    """The span with the cost of its call, if its sender named none and the price list knows the model."""
    usage, genai = span.usage, span.genai
    has_tokens = usage.input_tokens is not None or usage.output_tokens is not None
    if usage.cost_usd is not None or not has_tokens or not is_model_call(genai.operation):
        return span
    rates = rates_of(genai.model, genai.provider, input_tokens=usage.input_tokens or 0, at=_moment(span.start_ns))
    cost = None if rates is None else rates.cost(_counts(usage))
    return replace(span, usage=replace(usage, cost_usd=cost, calls_unpriced=int(cost is None)))


def _cost(group: UsageGroup) -> tuple[Decimal | None, int]:
    """What the group costs as far as it is known, and how many of its calls that leaves out."""
    if not group.untold_calls:
        return group.told, 0
    rates = rates_of(group.model, group.provider, input_tokens=group.tier_tokens, at=_moment(group.last_ns))
    cost = None if rates is None else rates.cost(_counts(group.untold), group.untold_calls)
    if cost is None:
        return group.told, group.untold_calls
    return cost + (group.told or Decimal(0)), 0


def _counts(usage: Usage) -> TokenUsage:
    read, write = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
    return TokenUsage(usage.input_tokens or 0, usage.output_tokens or 0, read, write)


def _sum(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _moment(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC)
