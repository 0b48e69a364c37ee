"""The weak entity tag of a session (specstory.md §3): content, title and visibility, never the time alone.

What a session shows of its project is added where sessions are read (`repository.rows`), so that renaming a project
touches none of its sessions.
"""

from __future__ import annotations

from hashlib import sha256


def make_etag(row_id: str, markdown_size: int, content_digest: str, revision: int) -> str:
    """The opaque part: `hex-hex`. `revision` counts edits of titles and visibility."""
    digest = sha256(f"{row_id} {content_digest} {revision}".encode()).hexdigest()
    return f"{markdown_size:x}-{digest[:24]}"
