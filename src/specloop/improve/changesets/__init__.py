"""Change sets: proposed edits with their evidence, decided by people or bounded autonomy (spectral.md §1.2.2)."""

from specloop.improve.changesets.model import ChangeSet, Edit, Proposal, Status
from specloop.improve.changesets.service import Decisions, Proposals, Validations

__all__ = ["ChangeSet", "Decisions", "Edit", "Proposal", "Proposals", "Status", "Validations"]
