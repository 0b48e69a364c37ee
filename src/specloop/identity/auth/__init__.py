"""Signing in and out: registration, passwords, sessions, providers, and the cookies of the pages."""

from specloop.identity.auth.cookies import CSRF
from specloop.identity.auth.links import Links
from specloop.identity.auth.model import Registration, SignedIn
from specloop.identity.auth.service.entrance import EntranceService
from specloop.identity.auth.service.profile import ProfileService
from specloop.identity.auth.service.providers import ProviderSignInService
from specloop.identity.auth.service.recovery import RecoveryService
from specloop.identity.auth.service.registration import RegistrationService

__all__ = [
    "CSRF",
    "EntranceService",
    "Links",
    "ProfileService",
    "ProviderSignInService",
    "RecoveryService",
    "Registration",
    "RegistrationService",
    "SignedIn",
]
