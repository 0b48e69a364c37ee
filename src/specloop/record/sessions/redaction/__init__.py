"""Takes secrets out of sessions before they leave the machine (specstory.md §7.2): markdown, raw text and data alike.

What is a secret is for betterleaks to say, and for a few rules of our own.
Nothing here keeps, prints or returns a secret to anybody but the replacer.
"""

from specloop.record.sessions.redaction.apply import Redaction, redact_document, redact_json_text, redact_text
from specloop.record.sessions.redaction.errors import RedactionUnavailable
from specloop.record.sessions.redaction.flatten import texts_of_document, texts_of_json
from specloop.record.sessions.redaction.model import Secret
from specloop.record.sessions.redaction.scanner import RULES_VERSION, BetterleaksScanner, SecretScanner

__all__ = [
    "RULES_VERSION",
    "BetterleaksScanner",
    "Redaction",
    "RedactionUnavailable",
    "Secret",
    "SecretScanner",
    "redact_document",
    "redact_json_text",
    "redact_text",
    "texts_of_document",
    "texts_of_json",
]
