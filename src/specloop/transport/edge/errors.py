"""What the edge refuses, beside the general errors. Codes are those of the parents: the contracts list no others."""

from __future__ import annotations

from specloop.errors import BadRequest, Forbidden


class BadHost(BadRequest):
    """A request carries exactly one Host header with a host name or address and perhaps a port."""


class ForeignOrigin(Forbidden):
    """Pages of that origin may not do this here."""


class CorruptBody(BadRequest):
    """The body does not decompress: it is damaged, cut short, or followed by something else."""


class NotUTF8(BadRequest):
    """JSON is read as UTF-8 only (RFC 8259 §8.1)."""


class TooDeep(BadRequest):
    """The JSON is nested too deeply."""
