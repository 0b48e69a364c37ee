"""Sign-in through other identity providers (OpenID Connect), by configuration."""

from specloop.identity.oauth.errors import BadCallback, ProviderUnknown, ProviderUnreachable, RedirectRefused
from specloop.identity.oauth.model import Profile, ProviderConfig
from specloop.identity.oauth.repository import find_linked_user, link
from specloop.identity.oauth.service import OAuthService

__all__ = [
    "BadCallback",
    "OAuthService",
    "Profile",
    "ProviderConfig",
    "ProviderUnknown",
    "ProviderUnreachable",
    "RedirectRefused",
    "find_linked_user",
    "link",
]
