"""What can go wrong with signing in and up."""

from __future__ import annotations

from specloop.errors import BusinessRule, Forbidden, Unauthenticated


class BadSignIn(Unauthenticated):
    """The e-mail address or the password is wrong"""


class RegistrationClosed(Forbidden):
    """Registration is by invitation on this server; send the invitation's token as invite_token"""


class BadInvitation(BusinessRule):
    """The invitation is not valid for this e-mail address, or was used before"""


class BadResetToken(BusinessRule):
    """This link was used before or has expired; ask for a new one"""


class WrongPassword(BusinessRule):
    """The current password is wrong"""


class UnverifiedEmail(BusinessRule):
    """The provider does not vouch for an e-mail address, so no account can be chosen by it"""
