"""How long what a workspace holds is kept, and letting go of all of it.

Knows when, not what: other stages bring sweepers and stores for what they keep.
"""

from specloop.identity.workspaces.keeping.erasure import Erasure
from specloop.identity.workspaces.keeping.model import Store, Sweeper, Tidying
from specloop.identity.workspaces.keeping.repository import ids_of_account
from specloop.identity.workspaces.keeping.sweep import AuditSweep, Keeping
from specloop.identity.workspaces.keeping.tasks import keeping_tasks

__all__ = ["AuditSweep", "Erasure", "Keeping", "Store", "Sweeper", "Tidying", "ids_of_account", "keeping_tasks"]
