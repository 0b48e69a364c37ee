"""Backups of a data folder whose stores are embedded, taken while the server works, and their restoration.

One archive holds everything that `specloop up` needs: state, steps of jobs, telemetry, blobs, keys, certificate.
Servers such as PostgreSQL, ClickHouse and S3 have tools of their own and are refused.
"""

from specloop.db.backup.archive import BadArchive, Content
from specloop.db.backup.service import FolderNotEmpty, NotEmbedded, back_up, restore

__all__ = ["BadArchive", "Content", "FolderNotEmpty", "NotEmbedded", "back_up", "restore"]
