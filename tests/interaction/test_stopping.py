"""An open event stream does not hold up the end of the server: it finishes by itself and resumes elsewhere."""

from __future__ import annotations

from pathlib import Path

from tests.interaction.tenant import register
from tests.server import free_port, spawn, stop, wait_until_ready


def test_a_stream_that_never_ends_is_not_cut_off_by_the_grace_time(tmp_path: Path) -> None:
    port = free_port()
    process = spawn(tmp_path, port)
    url = f"http://127.0.0.1:{port}"
    wait_until_ready(url, process)
    with register(url, "stream@test.com") as tenant:
        headers = {"accept": "text/event-stream"}
        with tenant.client.stream("GET", f"{tenant.path}/events", headers=headers) as stream:
            chunks = stream.iter_raw()
            assert b"retry" in next(chunks)
            assert stop(process) == 0
            for _ in chunks:
                pass  # it ends, instead of breaking off
    assert "listener.cut_off" not in (tmp_path / "server.log").read_text("utf-8")
