"""Finds secrets in text with the betterleaks rules, through the library that pybetterleaks carries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from specloop.record.sessions.redaction.errors import RedactionUnavailable
from specloop.record.sessions.redaction.keywords import KeywordFilter, load_rules

FRAGMENT_CHARACTERS = 100_000
"""Rules run over a whole fragment as soon as one of their keywords is in it, so fragments are small; each scan costs
about 10 ms besides, so they are not smaller."""
_FILTERED_CHARACTERS = 200_000
_BREAK = "\n\n\n\n\n\n\n\n"
"""Between texts: more lines than rules reach over."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret, the rule that knows it, and the text around it that the rule matched."""

    rule: str
    value: str
    match: str

    def __repr__(self) -> str:
        """Never the secret."""
        return f"Secret({self.rule})"


class SecretScanner(Protocol):
    """Whatever knows secrets."""

    def find(self, texts: Iterable[str]) -> list[Secret]:
        """The secrets in these texts, each once."""
        ...


class BetterleaksScanner:
    """The betterleaks rules. Raises: RedactionUnavailable when the library is not there or cannot be loaded."""

    def __init__(self, *, reads_all: bool = False) -> None:
        """`reads_all` scans every line, for comparison."""
        try:
            library = import_module("pybetterleaks")  # only here: some platforms have none
            path: Path = import_module("pybetterleaks._native").native_library_path()
            library.betterleaks_version()
        except (ImportError, OSError) as error:
            raise RedactionUnavailable from error
        except Exception as error:  # the library's own errors, which cannot be named without it
            raise RedactionUnavailable(f"Secrets cannot be taken out here: {error}") from error
        self._scan: Callable[..., Any] = library.scan_text
        rules = load_rules(path)
        self._filter = KeywordFilter(rules) if rules and not reads_all else None

    @property
    def is_quick(self) -> bool:
        """Whether the rules' keywords are known, so that only lines around them need be scanned."""
        return self._filter is not None

    def find(self, texts: Iterable[str]) -> list[Secret]:
        """The secrets in these texts, each once.

        Raises: RedactionUnavailable when the library gives up on a text.
        """
        kept = texts
        if self._filter:
            kept = map(self._filter.relevant, _joined(texts, _FILTERED_CHARACTERS))
        found: dict[str, Secret] = {}
        for fragment in _joined((piece for text in kept for piece in _pieces(text)), FRAGMENT_CHARACTERS):
            for secret in self._find(fragment):
                found.setdefault(secret.value, secret)
        return list(found.values())

    def _find(self, fragment: str) -> Iterator[Secret]:
        result = self._scan(fragment.replace("\0", " "), redact=False)
        if result.errors:
            raise RedactionUnavailable(f"Secrets could not be looked for: {result.errors[0].message}")
        for finding in result.findings:
            if finding.secret:
                yield Secret(finding.rule_id, finding.secret, finding.match or finding.secret)


def _joined(texts: Iterable[str], characters: int) -> Iterator[str]:
    """Texts put together until there are so many characters."""
    waiting, size = list[str](), 0
    for text in texts:
        if size + len(text) > characters and waiting:
            yield _BREAK.join(waiting)
            waiting, size = [], 0
        if text:
            waiting.append(text)
            size += len(text)
    if waiting:
        yield _BREAK.join(waiting)


def _pieces(text: str) -> Iterator[str]:
    """A long text cut between lines, its pieces overlapping."""
    start = 0
    while len(text) - start > FRAGMENT_CHARACTERS:
        end = text.rfind("\n", start, start + FRAGMENT_CHARACTERS)
        end = end if end > start + FRAGMENT_CHARACTERS // 2 else start + FRAGMENT_CHARACTERS
        yield text[start:end]
        start = end - FRAGMENT_CHARACTERS // 10
    yield text[start:]
