"""The price list: which model a name means, and its rates at a time and size of request.

The list is a large package; it is loaded when the first price is asked for, not when the program starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from specloop.record.prices.model import TokenCounts

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelPrice

TIER_STARTS = (32_000, 100_000, 128_000, 199_999, 200_000, 256_000, 272_000, 512_000, 524_288)
"""Where tiers begin: a request with more input tokens than a start pays that tier's rates for all its tokens. Sums may
be priced at once when no start lies between the requests that they are made of."""

_MILLION = 1_000_000
_REFUSED = frozenset({"", "local", "ollama", "vllm", "llama.cpp", "unknown"})
_KNOWN_BY = {
    "aws.bedrock": "aws",
    "aws_bedrock": "aws",
    "bedrock": "aws",
    "amazon-bedrock": "aws",
    "azure.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "az.ai.openai": "azure",
    "az.ai.inference": "azure",
    "gcp.vertex_ai": "google",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "vertex_ai": "google",
    "vertexai": "google",
    "gemini": "google",
    "mistral_ai": "mistral",
    "mistralai": "mistral",
    "x_ai": "x-ai",
    "xai": "x-ai",
}
"""OpenTelemetry's and OpenInference's words for providers, where the price list has another."""


@dataclass(frozen=True, slots=True)
class Rates:
    """USD per token (`per_request`: per call); None where the list has no price for such tokens."""

    input: Decimal | None
    output: Decimal | None
    cache_read: Decimal
    cache_write: Decimal
    per_request: Decimal

    def cost(self, usage: TokenCounts, requests: int = 1) -> Decimal | None:
        """What `usage` of `requests` calls costs; None when it has tokens without a price."""
        if (usage.input and self.input is None) or (usage.output and self.output is None):
            return None
        read = min(max(usage.cache_read, 0), usage.input)
        write = min(max(usage.cache_write, 0), usage.input - read)
        plain = usage.input - read - write
        return (
            plain * (self.input or Decimal(0))
            + read * self.cache_read
            + write * self.cache_write
            + usage.output * (self.output or Decimal(0))
            + requests * self.per_request
        )


def cost_usd(model: str, provider: str | None, usage: TokenCounts, *, at: datetime | None = None) -> Decimal | None:
    """What one call cost in USD, or None when the price list does not know the model or the kind of tokens.

    `provider` may be any spelling that the conventions use; None or empty lets the model's name decide. `at` is when
    the call was made (default: now), since prices change.
    """
    rates = rates_of(model, provider, input_tokens=usage.input, at=at)
    return None if rates is None else rates.cost(usage)


def rates_of(
    model: str, provider: str | None = None, *, input_tokens: int = 0, at: datetime | None = None
) -> Rates | None:
    """The rates of a call with `input_tokens` made at `at` (default: now), or None when the model is not listed."""
    tier = next((start for start in reversed(TIER_STARTS) if input_tokens > start), 0)
    moment = (at or datetime.now(UTC)).astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return _rates(model.strip(), (provider or "").strip().lower(), tier, moment)


@lru_cache(maxsize=4_096)
def _rates(model: str, provider: str, tier: int, moment: datetime) -> Rates | None:
    prices = _prices(model, provider, moment)
    if prices is None:
        return None
    flat = _at_tier(prices, tier + 1)

    def priced(**usage: int) -> Decimal:
        return flat.calc_price(_module("genai_prices").Usage(**usage))["total_price"]

    fee = priced(input_tokens=0, output_tokens=0)

    def per_token(**usage: int) -> Decimal:
        return (priced(**usage) - fee) / _MILLION

    return Rates(
        input=per_token(input_tokens=_MILLION, output_tokens=0) if flat.input_mtok is not None else None,
        output=per_token(input_tokens=0, output_tokens=_MILLION) if flat.output_mtok is not None else None,
        cache_read=per_token(input_tokens=_MILLION, cache_read_tokens=_MILLION, output_tokens=0),
        cache_write=per_token(input_tokens=_MILLION, cache_write_tokens=_MILLION, output_tokens=0),
        per_request=fee,
    )


def _prices(model: str, provider: str, moment: datetime) -> ModelPrice | None:
    for name, source in _spellings(model, provider):
        try:
            _, found = _snapshot().find_provider_model(name, None, source, None)
        except LookupError:
            continue
        return found.get_prices(moment)
    return None


def _spellings(model: str, provider: str) -> list[tuple[str, str | None]]:
    """The ways to look a model up: as it is called, else by the provider in front of its name."""
    if not model or (provider and provider in _REFUSED):
        return []
    spellings: list[tuple[str, str | None]] = [(model, _KNOWN_BY.get(provider, provider) or None)]
    prefix, slash, rest = model.partition("/")
    if slash and not provider:
        spellings.append((rest, _KNOWN_BY.get(prefix.lower(), prefix.lower())))
    return spellings


def _at_tier(prices: ModelPrice, input_tokens: int) -> ModelPrice:
    """The same prices without tiers, as a request of `input_tokens` pays them."""
    types = _module("genai_prices.types")
    flat: dict[str, Any] = {}
    for name, price in vars(prices).items():
        if isinstance(price, types.TieredPrices):
            tiers = [tier.price for tier in price.tiers if input_tokens > tier.start]
            flat[name] = tiers[-1] if tiers else price.base
        else:
            flat[name] = price
    return types.ModelPrice(**flat)


@cache
def _snapshot() -> DataSnapshot:
    return _module("genai_prices.data_snapshot").get_snapshot()


@cache
def _module(name: str) -> Any:
    return import_module(name)
