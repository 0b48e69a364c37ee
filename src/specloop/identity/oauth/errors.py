"""What can go wrong between us and an identity provider."""

from __future__ import annotations

from specloop.errors import BadRequest, NotFound, Unavailable


class ProviderUnknown(NotFound):
    """This sign-in provider is not configured"""


class RedirectRefused(BadRequest):
    """This redirect_uri is not on the server's list"""


class BadCallback(BadRequest):
    """The sign-in could not be completed: it was started elsewhere, too long ago, or has been completed before"""


class ProviderUnreachable(Unavailable):
    """The sign-in provider cannot be reached"""
