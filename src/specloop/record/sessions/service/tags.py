"""The weak entity tag of a session (specstory.md §3): content, title and visibility, never the time alone."""

from __future__ import annotations

from hashlib import sha256


def make_etag(row_id: str, markdown_size: int, content_digest: str, revision: int) -> str:
    """The opaque part: `hex-hex`. `revision` counts edits of titles and visibility."""
    digest = sha256(f"{row_id} {content_digest} {revision}".encode()).hexdigest()
    return f"{markdown_size:x}-{digest[:24]}"
