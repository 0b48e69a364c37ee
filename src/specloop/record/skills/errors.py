"""What can go wrong with skills."""

from __future__ import annotations

from specloop.errors import Forbidden, NotFound


class MiningDisabled(Forbidden):
    """Mining skills from sessions is switched off on this server"""


class DossierNotFound(NotFound):
    """Dossier not found"""


class SkillNotFound(NotFound):
    """Skill not found"""
