"""What a secret is, for those who find them and those who replace them."""

from __future__ import annotations

import re
from dataclasses import dataclass

SHORT_CHARACTERS = 8
"""A shorter secret is taken out only where its rule saw it: as a word it may stand anywhere."""
_GUESSES = ("generic-api-key", "curl-auth-")
_NO_OWN_FORM = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{40}|[a-z]+", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z_.:/-]+")


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret, the rule that knows it, and the text around it that the rule matched.

    `is_named`: it is one because of the name it stands under, not because of its form.
    """

    rule: str
    value: str
    match: str
    is_named: bool = False

    def __repr__(self) -> str:
        """Never the secret."""
        return f"Secret({self.rule})"

    @property
    def is_local(self) -> bool:
        """Whether the value is a secret only where it was seen: elsewhere the same characters may be a word, the id of
        the session, a commit."""
        if len(self.value) < SHORT_CHARACTERS:
            return True
        if self.is_named and _NAME.fullmatch(self.value):
            return True
        return (self.is_named or self.rule.startswith(_GUESSES)) and bool(_NO_OWN_FORM.fullmatch(self.value))
