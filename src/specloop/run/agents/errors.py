"""What can go wrong with agents."""

from __future__ import annotations

from specloop.errors import BusinessRule, NotFound


class AgentNotFound(NotFound):
    """Agent not found"""


class VersionNotFound(NotFound):
    """The agent has no such config version"""


class TemplateNotFound(NotFound):
    """Template not found"""


class AgentArchived(BusinessRule):
    """The agent is archived, so it cannot be changed or run"""


class NameTaken(BusinessRule):
    """Another one in this workspace has this name"""


class HasDependants(BusinessRule):
    """Other agents depend on this one"""


class DependencyCycle(BusinessRule):
    """The agents would depend on each other in a circle"""


class UnknownDependency(BusinessRule):
    """depends_on names an agent that is not active in this workspace"""


class AlreadyPromoted(BusinessRule):
    """This version is already the promoted one"""


class EditFailed(BusinessRule):
    """The edit does not fit the config that it is applied to"""


class NotRunnable(BusinessRule):
    """The agent runs outside Specloop, so it cannot be run here"""


class TemplateFollowed(BusinessRule):
    """Agents follow this template; bind them to another one first"""


class TemplateDoesNotFit(BusinessRule):
    """The template's config breaks the bounds of an agent that follows it"""
