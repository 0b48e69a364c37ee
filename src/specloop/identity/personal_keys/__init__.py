"""Personal keys (`sf_…`): what a user gives to programs that read or write recorded sessions in the user's name.

Only a signed-in browser makes them, so that a leaked key cannot make its own successor (specstep.md §4.1).
"""

from specloop.identity.personal_keys.model import PREFIX, NewPersonalKey, PersonalKey
from specloop.identity.personal_keys.service import PersonalKeyService

__all__ = ["PREFIX", "NewPersonalKey", "PersonalKey", "PersonalKeyService"]
