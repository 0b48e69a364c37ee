"""The worker: runs durable jobs, in the server's process or as a role of its own."""

from specloop.worker.worker import Worker

__all__ = ["Worker"]
