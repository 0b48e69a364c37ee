"""Finds secrets in text with own rules and the betterleaks rules, through the library that pybetterleaks carries."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from specloop.record.sessions.redaction.errors import RedactionUnavailable
from specloop.record.sessions.redaction.keywords import KeywordFilter, load_rules
from specloop.record.sessions.redaction.model import SHORT_CHARACTERS, Secret
from specloop.record.sessions.redaction.own_rules import find_own
from specloop.record.sessions.redaction.private_keys import find_private_keys, without_private_keys

FRAGMENT_CHARACTERS = 100_000
"""Rules run over a whole fragment as soon as one of their keywords is in it, so fragments are small; each scan costs
about 10 ms besides, so they are not smaller."""
_FILTERED_CHARACTERS = 200_000
_BREAK = "\n\n\n\n\n\n\n\n"
"""Between texts: more lines than rules reach over."""
RULES_VERSION = 2
"""Changes when other secrets are found, so that what was sent before is looked through again."""
_ROUNDS_MAX = 4
_MARK = re.compile(r"\[REDACTED:no-(\d+)\]")


class SecretScanner(Protocol):
    """Whatever knows secrets."""

    def find(self, texts: Iterable[str]) -> list[Secret]:
        """The secrets in these texts, each once with each text around it."""
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
        """The secrets in these texts, each once with each text that its rule matched.

        Raises: RedactionUnavailable when the library gives up on a text.
        """
        own = list[Secret]()
        found = dict[tuple[str, str], Secret]()
        for fragment in _joined(self._pieces_of(texts, own), FRAGMENT_CHARACTERS):
            for secret in self._find(fragment):
                found.setdefault((secret.value, secret.match), secret)
        known = {secret.value for secret in found.values()}
        for secret in own:
            if secret.value in known or not _is_mostly(secret.value, known):
                found.setdefault((secret.value, secret.match), secret)
        return list(found.values())

    def _pieces_of(self, texts: Iterable[str], own: list[Secret]) -> Iterator[str]:
        """What is left for the library; what the own rules see goes to `own`."""
        for text in _joined(texts, _FILTERED_CHARACTERS):
            own += find_private_keys(text)
            bare = without_private_keys(text)
            own += find_own(bare)
            yield from _pieces(self._filter.relevant(bare) if self._filter else bare)

    def _find(self, fragment: str) -> Iterator[Secret]:
        """The secrets of a fragment. A rule may hide what another one would find beside it, so what was found is
        replaced by its number and the rest is looked through again."""
        values = list[str]()
        for _ in range(_ROUNDS_MAX):
            fresh = [each for each in self._scanned(fragment) if "[REDACTED:" not in each.value]
            if not fresh:
                return
            for secret in fresh:
                yield Secret(secret.rule, secret.value, _unmarked(secret.match, values))
            for secret in sorted(set(fresh), key=lambda each: len(each.value), reverse=True):
                mark = f"[REDACTED:no-{len(values)}]"
                values.append(secret.value)
                fragment = fragment.replace(secret.match, secret.match.replace(secret.value, mark))

    def _scanned(self, fragment: str) -> Iterator[Secret]:
        result = self._scan(fragment.replace("\0", " "), redact=False)
        if result.errors:
            raise RedactionUnavailable(f"Secrets could not be looked for: {result.errors[0].message}")
        for finding in result.findings:
            match = finding.match or finding.secret
            if finding.secret and _BREAK not in match:  # else it reaches from one text into another
                yield Secret(finding.rule_id, finding.secret, match)


def _unmarked(match: str, values: list[str]) -> str:
    """The text as it was before its secrets were numbered."""
    return _MARK.sub(lambda mark: values[number] if (number := int(mark[1])) < len(values) else mark[0], match)


def _is_mostly(value: str, known: set[str]) -> bool:
    """Whether little is left of a value without the secrets inside it, which are more exact."""
    rest = value
    for each in known:
        if len(each) >= SHORT_CHARACTERS:
            rest = rest.replace(each, "")
    return rest != value and len(rest) < SHORT_CHARACTERS


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
