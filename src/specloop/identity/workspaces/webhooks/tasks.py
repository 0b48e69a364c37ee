"""The sweep that delivers webhooks, once a minute."""

from __future__ import annotations

from typing import Any

from specloop.identity.workspaces.webhooks.delivery import DeliveryService
from specloop.jobs import JobContext, Lane, Tasks


def webhook_tasks(deliveries: DeliveryService) -> Tasks:
    """The schedule. A kill in the middle repeats at most the messages of this minute: receivers know them by id."""
    tasks = Tasks()

    @tasks.scheduled("webhooks.deliver", cron="* * * * *", queue=Lane.INTERACTIVE)
    async def deliver(job: JobContext, payload: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]
        del payload
        await deliveries.sweep(job.database, job.clock)

    return tasks
