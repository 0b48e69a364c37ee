"""How often somebody may do something: exact rolling windows, in memory or shared through Redis; and how many bytes.

It knows keys and rules, not who they stand for. `limit_headers` spells a decision in the form of a contract.
"""

from __future__ import annotations

from specloop.transport.limits.headers import HeaderStyle, limit_headers
from specloop.transport.limits.limiter import BadLimitStore, Decision, RateLimiter, Rule, open_limiter
from specloop.transport.limits.throughput import Throughput

__all__ = [
    "BadLimitStore",
    "Decision",
    "HeaderStyle",
    "RateLimiter",
    "Rule",
    "Throughput",
    "limit_headers",
    "open_limiter",
]
