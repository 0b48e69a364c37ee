"""Who did what, kept in the transaction that did it. Nothing here is ever changed, and only retention deletes."""

from specloop.identity.audit.epoch import Epoch, epoch_of
from specloop.identity.audit.memory import Memory, Units
from specloop.identity.audit.model import AuditEvent, AuditFilter
from specloop.identity.audit.service import delete_before, list_events, record

__all__ = [
    "AuditEvent",
    "AuditFilter",
    "Epoch",
    "Memory",
    "Units",
    "delete_before",
    "epoch_of",
    "list_events",
    "record",
]
