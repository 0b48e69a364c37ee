"""API keys: machine credentials of one workspace that read agents and write traces, and nothing else."""

from specloop.identity.keys.model import PREFIX, ApiKey, KeyStatus
from specloop.identity.keys.service import KeyService, NewKey

__all__ = ["PREFIX", "ApiKey", "KeyService", "KeyStatus", "NewKey"]
