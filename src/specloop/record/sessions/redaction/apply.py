"""Puts `[REDACTED:<rule>]` in the place of known secrets, wherever they stand: in text, and inside the strings of JSON,
so that JSON stays JSON."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, cast

from specloop.kit import json
from specloop.record.sessions.redaction.flatten import with_name
from specloop.record.sessions.redaction.model import Secret
from specloop.record.sessions.redaction.private_keys import lines_of_key


class Redaction:
    """The replacement for a set of secrets; counts what it replaced, by rule."""

    def __init__(self, secrets: Iterable[Secret]) -> None:
        self.counts: Counter[str] = Counter()
        self._by_text: dict[str, tuple[str, str]] = {}
        self._has_local = False
        for secret in secrets:
            self._learn(secret)
        ordered = sorted(self._by_text, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def text(self, text: str) -> str:
        """The text without the secrets."""
        return self._pattern.sub(self._replace, text) if self._pattern else text

    def document(self, value: Any, name: str = "") -> Any:
        """The JSON value without the secrets, in names as well; `name` is the one it stands under."""
        if self._pattern is None:
            return value
        if isinstance(value, str):
            return self._named(name, value)
        if isinstance(value, dict):
            return {self.text(key): self.document(each, key) for key, each in cast(dict[str, Any], value).items()}
        if isinstance(value, list):
            return [self.document(each, name) for each in cast(list[Any], value)]
        return value

    def json_text(self, text: str) -> str:
        """A JSON document or JSON lines without the secrets; what holds none stays byte for byte."""
        if self._pattern is None:
            return text
        if (whole := self._json(text)) is not None:
            return whole
        return "\n".join(self._line(line) for line in text.split("\n"))

    def _line(self, line: str) -> str:
        replaced = self._json(line)
        return self.text(line) if replaced is None else replaced

    def _json(self, text: str) -> str | None:
        if not text.lstrip().startswith(("{", "[")):
            return None
        try:
            document = json.loads(text)
        except json.JSONDecodeError:
            return None
        before = self.counts.total()
        replaced = self.document(document)
        return json.dumps(replaced).decode() if self.counts.total() > before else text

    def _named(self, name: str, value: str) -> str:
        """A string of a document. What is a secret because of its name is matched with the name, as it was found."""
        shown = with_name(name, value) if self._has_local else value
        if shown == value:
            return self.text(value)
        before = shown[: -len(value) - 1]
        counted = self.counts.copy()
        replaced = self.text(shown)
        if replaced.startswith(before) and replaced.endswith('"'):
            return replaced[len(before) : -1]
        self.counts.clear()
        self.counts.update(counted)
        return self.text(value)

    def _learn(self, secret: Secret) -> None:
        mark = f"[REDACTED:{secret.rule}]"
        if secret.is_local:
            self._has_local = True
            forms = {secret.match: secret.match.replace(secret.value, mark)}
        else:
            forms = {secret.value: mark, **dict.fromkeys(lines_of_key(secret), mark)}
        for seen, shown in forms.items():
            self._by_text.setdefault(seen, (secret.rule, shown))
            inside_json = json.dumps(seen).decode()[1:-1]  # as it stands in JSON that is a string of JSON
            self._by_text.setdefault(inside_json, (secret.rule, json.dumps(shown).decode()[1:-1]))

    def _replace(self, found: re.Match[str]) -> str:
        rule, shown = self._by_text[found[0]]
        self.counts[rule] += 1
        return shown


def redact_text(text: str, secrets: Iterable[Secret]) -> str:
    """A text without these secrets."""
    return Redaction(secrets).text(text)


def redact_json_text(text: str, secrets: Iterable[Secret]) -> str:
    """JSON or JSON lines without these secrets, JSON still."""
    return Redaction(secrets).json_text(text)


def redact_document(value: Any, secrets: Iterable[Secret]) -> Any:
    """A JSON value without these secrets."""
    return Redaction(secrets).document(value)
