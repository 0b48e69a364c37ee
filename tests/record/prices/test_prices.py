"""Prices: exact or unknown, with cached tokens as a part of the input."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from genai_prices import Usage, calc_price
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import TieredPrices
from hypothesis import given
from hypothesis import strategies as st

from specloop.record.prices import TIER_STARTS, TokenUsage, cost_usd, rates_of

AT = datetime(2025, 10, 5, 12, tzinfo=UTC)
MODELS = ["gpt-4o", "claude-sonnet-4-5", "gemini-2.5-pro", "mistral-large-latest", "deepseek-chat"]


def test_a_call_costs_its_tokens_at_the_rates_of_its_model() -> None:
    assert cost_usd("claude-sonnet-4-5", None, TokenUsage(1_000, 100), at=AT) == Decimal("0.0045")


def test_cached_tokens_are_part_of_the_input_and_cheaper() -> None:
    plain = cost_usd("claude-sonnet-4-5", "anthropic", TokenUsage(1_000, 0), at=AT)
    cached = cost_usd("claude-sonnet-4-5", "anthropic", TokenUsage(1_000, 0, cache_read=1_000), at=AT)
    assert plain == Decimal("0.003")
    assert cached == Decimal("0.0003")


def test_reasoning_tokens_are_part_of_the_output() -> None:
    with_reasoning = cost_usd("gpt-5", None, TokenUsage(10, 100, reasoning=90), at=AT)
    assert with_reasoning == cost_usd("gpt-5", None, TokenUsage(10, 100), at=AT)


@pytest.mark.parametrize("model", ["small-model", "", "../../etc/passwd", "💥"])
def test_an_unknown_model_has_no_price(model: str) -> None:
    assert cost_usd(model, None, TokenUsage(1, 1)) is None


@pytest.mark.parametrize("provider", ["local", "ollama", "no-such-company"])
def test_a_model_that_another_provider_serves_has_no_price(provider: str) -> None:
    assert cost_usd("gpt-4o", provider, TokenUsage(1, 1)) is None


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("gpt-4o", "openai"),
        ("gpt-4o", "azure.ai.openai"),
        ("gemini-2.5-pro", "gcp.vertex_ai"),
        ("claude-sonnet-4-5", "Anthropic"),
        ("openai/gpt-4o", None),
    ],
)
def test_the_spellings_of_the_conventions_find_the_model(model: str, provider: str | None) -> None:
    assert cost_usd(model, provider, TokenUsage(1_000, 10), at=AT) is not None


def test_a_large_request_pays_the_rates_of_its_tier_for_all_tokens() -> None:
    small = cost_usd("claude-sonnet-4-5", "anthropic", TokenUsage(200_000, 0), at=AT)
    large = cost_usd("claude-sonnet-4-5", "anthropic", TokenUsage(200_001, 0), at=AT)
    assert small == Decimal("0.6")
    assert large == Decimal("0.000006") * 200_001


def test_every_tier_of_the_list_begins_where_sums_are_split() -> None:
    starts = {
        tier.start
        for provider in get_snapshot().providers
        for model in provider.models
        for prices in ([entry.prices for entry in model.prices] if isinstance(model.prices, list) else [model.prices])
        for price in vars(prices).values()
        if isinstance(price, TieredPrices)
        for tier in price.tiers
    }
    assert starts <= set(TIER_STARTS)


counts = st.integers(0, 400_000)


@given(st.sampled_from(MODELS), counts, counts, st.floats(0, 1), st.floats(0, 1))
def test_the_cost_is_that_of_the_price_list(
    model: str, given_input: int, output: int, read_share: float, write_share: float
) -> None:
    read = int(given_input * read_share)
    write = int((given_input - read) * write_share)
    expected = calc_price(
        Usage(input_tokens=given_input, output_tokens=output, cache_read_tokens=read, cache_write_tokens=write),
        model,
        genai_request_timestamp=AT,
    ).total_price
    assert cost_usd(model, None, TokenUsage(given_input, output, read, write), at=AT) == expected


@given(st.lists(st.tuples(st.integers(0, 30_000), st.integers(0, 9_000)), max_size=6))
def test_calls_of_one_tier_cost_as_much_together_as_one_by_one(calls: list[tuple[int, int]]) -> None:
    rates = rates_of("gemini-2.5-pro", at=AT)
    assert rates is not None
    together = rates.cost(TokenUsage(sum(one for one, _ in calls), sum(one for _, one in calls)), len(calls))
    alone = [cost_usd("gemini-2.5-pro", None, TokenUsage(*call), at=AT) for call in calls]
    assert together == sum((cost for cost in alone if cost is not None), Decimal(0))
