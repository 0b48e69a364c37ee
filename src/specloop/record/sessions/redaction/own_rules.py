"""Secrets that no rule of the library knows, or knows only in company: by their form, or by the name before them.

Each rule names signs, plain words that are looked for first: where none stands, no pattern runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from specloop.record.sessions.redaction.model import Secret

DISTINCT_CHARACTERS_MIN = 6
"""A key has more different characters than a row of X."""
_FILLERS = re.compile(
    r"[<$%{\[(].*|x+|\*+|-+|_+|[A-Z_]+"
    r"|(?:your|my|some|the)?[-_ ]?(?:[a-z]+[-_ ])?(?:password|passwd|pass|pwd|secret|token|key)"
    r"|none|null|true|false|undefined|test|dummy|fake|redacted|string|str",
    re.DOTALL,
)
_FILLER_INSIDE = re.compile(
    r"\.\.\.|…|\*\*\*|x{6}|change[-_]?me|\byour[-_]|[-_]here\b|example|placeholder|redacted|\$\{|\{\{", re.IGNORECASE
)
_CODE = re.compile(
    r"[A-Za-z_][\w.]*[\[(]|(?:os|process|settings|config|secrets|self|env|args|import\.meta)\."
    r"|(?:\.{0,2}|~)/(?:etc|run|home|var|tmp|Users|opt|usr|app|mnt|root|[.\w-]+\.\w+$)"
)
_PORT = re.compile(r"\d{1,5}(?:\W|$)")


@dataclass(frozen=True, slots=True)
class _Rule:
    """`pattern` is tried at each sign; its group that matched is the value. `is_named`: see Secret."""

    name: str
    signs: tuple[str, ...]
    pattern: re.Pattern[str]
    is_secret: Callable[[str], bool]
    is_named: bool = False


def find_own(text: str) -> Iterator[Secret]:
    """The secrets that the own rules see."""
    for rule in _RULES:
        for sign in rule.signs:
            at = text.find(sign)
            while at >= 0:
                if found := rule.pattern.match(text, at):
                    value = next(filter(None, found.groups()))
                    if not _is_filler(value) and rule.is_secret(value):
                        yield Secret(rule.name, value, found[0], rule.is_named)
                at = text.find(sign, at + len(sign))


def _is_filler(value: str) -> bool:
    """Whether the value stands for one: `changeme`, `<token>`, `${TOKEN}`, `***`."""
    return bool(_FILLERS.fullmatch(value) or _FILLER_INSIDE.search(value))


def _is_varied(value: str) -> bool:
    return len(set(value)) >= DISTINCT_CHARACTERS_MIN


def _is_credential(value: str) -> bool:
    """Not a word such as in "Authorization: Bearer authentication"."""
    has_digit = any(each.isdigit() for each in value)
    is_mixed = value.lower() != value and value.upper() != value
    return _is_varied(value) and (has_digit or (is_mixed and (len(value) >= 16 or len(value) % 4 == 0)))


def _is_password(value: str) -> bool:
    return not _PORT.match(value)


def _is_assigned(value: str) -> bool:
    """Not code, a path, a count, or a sentence."""
    is_sentence = " " in value and not any(each.isdigit() for each in value)
    return not (_CODE.match(value) or is_sentence or (value.isdigit() and len(value) < 8))


def _is_mixed(value: str) -> bool:
    return any(each.isdigit() for each in value) and any(each.isalpha() for each in value) and _is_varied(value)


def _rule(
    name: str, signs: str, pattern: str, is_secret: Callable[[str], bool] = _is_varied, *, is_named: bool = False
) -> _Rule:
    return _Rule(name, tuple(signs.split()), re.compile(pattern), is_secret, is_named)


_ALONE = r"(?<![A-Za-z0-9])"
_ASSIGNED = r"(?<![A-Za-z0-9])(?:PASSWORD|PASSWD|SECRET(?:_ACCESS_KEY|_KEY_BASE|_KEY)?|TOKEN|API_?KEY)"
_NAMES = "PASSWORD PASSWD SECRET TOKEN API_KEY APIKEY"
_RULES = (
    _rule("anthropic-token", "sk-ant-", _ALONE + r"(sk-ant-[a-z0-9]+-[\w-]{20,})"),
    _rule("openai-key", "sk-proj- sk-svcacct- sk-admin-", _ALONE + r"(sk-(?:proj|svcacct|admin)-[\w-]{20,})"),
    _rule("aws-access-key-id", "AKIA ASIA", _ALONE + r"(A[KS]IA[A-Z2-7]{16})(?![A-Za-z0-9])"),
    _rule("google-client-secret", "GOCSPX-", _ALONE + r"(GOCSPX-[\w-]{20,})"),
    _rule("webhook-secret", "whsec_", _ALONE + r"(whsec_[A-Za-z0-9+/]{16,}={0,2})"),
    _rule("tavily-key", "tvly-", _ALONE + r"(tvly-[\w-]{16,})"),
    _rule("discord-webhook", "/api/webhooks/", r"(?<=discord\.com|cordapp\.com)/api/webhooks/\d{15,22}/([\w-]{30,})"),
    _rule(
        "authorization-header",
        "uthorization UTHORIZATION",
        r"(?i:uthorization)[\"'`\\]*\s{0,3}[:=,]\s{0,3}[\"'`\\]*(?i:Bearer|Basic|Token)\s{1,3}([\w.~+/=-]{8,4096})",
        _is_credential,
        is_named=True,
    ),
    _rule(
        "url-password",
        "://",
        r"(?<=[a-z0-9])://[^\s:/@\"'<>`\\]{0,128}:([^\s@/\"'<>`\\]{3,256})@(?=[\w\[])",
        _is_password,
        is_named=True,
    ),
    _rule("url-token", "://", r"(?<=[tp]s)://([\w-]{20,256})@(?=\w)", _is_mixed),
    _rule(
        "env-secret",
        _NAMES,
        _ASSIGNED + r"=(?:\\*\"([^\"\\\n]{3,256})|\\*'([^'\\\n]{3,256})|([^\s\"'`\\;&|<>=][^\s\"'`\\;&|<>]{2,256}))",
        _is_assigned,
        is_named=True,
    ),
    _rule(
        "env-secret",
        _NAMES,
        _ASSIGNED + r"\\*[\"']?: ?\\*[\"']?([^\s\"'`\\,;<>(){}\[\]]{8,256})",
        lambda value: _is_assigned(value) and _is_mixed(value),
        is_named=True,
    ),
)
