"""Prices: what a model call costs, from the offline price list of `genai-prices`; never a guess.

A cost is exact or None. Token counts follow OpenTelemetry: cached and reasoning tokens are part of the totals.
"""

from specloop.record.prices.catalog import TIER_STARTS, Rates, cost_usd, rates_of
from specloop.record.prices.model import TokenCounts, TokenUsage

__all__ = ["TIER_STARTS", "Rates", "TokenCounts", "TokenUsage", "cost_usd", "rates_of"]
