"""Use cases of change sets, one file per verb group: proposing, deciding, validating, explaining."""

from specloop.improve.changesets.service.deciding import Decisions
from specloop.improve.changesets.service.explaining import explain, unified_diff
from specloop.improve.changesets.service.proposing import Proposals
from specloop.improve.changesets.service.validating import Validations

__all__ = ["Decisions", "Proposals", "Validations", "explain", "unified_diff"]
