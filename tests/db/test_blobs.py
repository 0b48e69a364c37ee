"""Blobs on files and on S3: what comes out is what went in, or an error; never something else."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import obstore
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specloop.db.blobs import (
    BlobCorrupt,
    BlobNotFound,
    BlobStore,
    BlobStoreAddress,
    BlobStoreUnavailable,
    Digest,
    blob_path,
)
from specloop.kit.ids import new_id

ABSENT = Digest("0" * 64)
START_SECONDS_MAX = 60.0


def _free_ports(count: int) -> list[int]:
    with_sockets = [socket.socket() for _ in range(count)]
    for opened in with_sockets:
        opened.bind(("127.0.0.1", 0))
    ports = [opened.getsockname()[1] for opened in with_sockets]
    for opened in with_sockets:
        opened.close()
    return ports


@contextmanager
def _running_s3() -> Generator[dict[str, str]]:
    """A SeaweedFS server on loopback with one user; yields the store's settings."""
    folder = Path(tempfile.mkdtemp(prefix="specloop-s3-"))
    credentials = {"accessKey": "reader", "secretKey": "of-tests"}
    identity = {"name": "tests", "credentials": [credentials], "actions": ["Admin", "Read", "Write", "List"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    names = ("master.port", "volume.port", "filer.port", "s3.port")
    ports = dict(zip(names, _free_ports(len(names)), strict=True))
    grpc = dict(zip([f"{name}.grpc" for name in names], _free_ports(len(names)), strict=True))
    extra = {"s3.port.iceberg": 0, "s3.port.lance": 0}
    flags = [f"-{name}={port}" for name, port in {**ports, **grpc, **extra}.items()]
    command = [str(Path(sys.executable).parent / "weed"), "server", f"-dir={folder}", "-ip=127.0.0.1"]
    command += ["-ip.bind=127.0.0.1", "-master.telemetry=false", "-filer", "-s3", f"-s3.config={folder}/s3.json"]
    command += ["-master.volumeSizeLimitMB=64", "-volume.max=20", f"-filer.localSocket={folder}/filer.sock", *flags]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        _await_http(f"http://127.0.0.1:{ports['s3.port']}/healthz", process)
        yield {
            "endpoint": f"http://127.0.0.1:{ports['s3.port']}",
            "region": "us-east-1",
            "access_key_id": credentials["accessKey"],
            "secret_access_key": credentials["secretKey"],
            "allow_http": "true",
        }
    finally:
        process.kill()  # it has nothing to save, and its graceful end takes half a minute
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _await_http(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310  (our own server)
            if answer.status == 200:
                return
        time.sleep(0.1)
    raise TimeoutError("the S3 server did not start")


@pytest.fixture(scope="session")
def s3_settings() -> Iterator[dict[str, str]]:
    """Settings of an S3 server that runs for the whole session."""
    with _running_s3() as found:
        bucket = BlobStore.open("s3://blobs", found)
        asyncio.run(_make_bucket(found, bucket))
        yield found


async def _make_bucket(found: dict[str, str], store: BlobStore) -> None:
    # The filer makes a bucket when its folder appears; the first accepted put shows that it is there.
    deadline = time.monotonic() + START_SECONDS_MAX
    while True:
        try:
            await store.put(b"first")
        except BlobStoreUnavailable:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.2)
        else:
            return


@pytest.fixture(params=["file", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    """A fresh store of each kind."""
    if request.param == "file":
        return BlobStore.open(f"file://{tmp_path}/blobs of mine")
    return BlobStore.open(f"s3://blobs/{new_id()}", request.getfixturevalue("s3_settings"))


async def _chunked(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


@pytest.mark.parametrize("size", [0, 1, 70_000, 12_000_000])
async def test_what_is_put_comes_back_under_its_sha256(store: BlobStore, size: int) -> None:
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    digest = await store.put(data)
    assert digest == hashlib.sha256(data).hexdigest()
    assert await store.get(digest) == data
    assert await store.verify(digest) == size
    assert await store.exists(digest)


@pytest.mark.parametrize("size", [0, 5, 12_000_000])
async def test_a_stream_gives_the_same_blob_as_its_bytes(store: BlobStore, size: int) -> None:
    data = b"stream" * (size // 6 + 1)
    digest = await store.put(_chunked(data[:size], 300_000))
    assert digest == await store.put(data[:size])
    assert await store.get(digest) == data[:size]


async def test_a_stream_that_breaks_leaves_nothing(store: BlobStore, tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"half"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await store.put(broken())
    assert not await store.exists(Digest(hashlib.sha256(b"half").hexdigest()))


async def test_a_blob_that_is_not_there_is_not_found(store: BlobStore) -> None:
    assert not await store.exists(ABSENT)
    with pytest.raises(BlobNotFound):
        await store.get(ABSENT)
    with pytest.raises(BlobNotFound):
        await store.verify(ABSENT)
    await store.delete(ABSENT)


async def test_a_deleted_blob_is_gone_and_can_be_put_again(store: BlobStore) -> None:
    digest = await store.put(b"short-lived")
    await store.delete(digest)
    assert not await store.exists(digest)
    assert await store.put(b"short-lived") == digest
    assert await store.get(digest) == b"short-lived"


@pytest.mark.parametrize("damage", [b"", b"trutz", b"truth and more"])
async def test_a_damaged_blob_is_reported_and_never_served(store: BlobStore, damage: bytes) -> None:
    digest = await store.put(b"truth")
    await obstore.put_async(store.backend, blob_path(digest), damage)
    with pytest.raises(BlobCorrupt) as caught:
        await store.get(digest)
    assert caught.value.members == {"digest": digest}
    with pytest.raises(BlobCorrupt):
        await store.verify(digest)


async def test_putting_again_repairs_a_truncated_blob(store: BlobStore) -> None:
    digest = await store.put(b"truth")
    await obstore.put_async(store.backend, blob_path(digest), b"tru")
    await store.put(b"truth")
    assert await store.get(digest) == b"truth"


async def test_many_puts_of_the_same_bytes_at_once_make_one_blob(tmp_path: Path) -> None:
    store = BlobStore.open(f"file://{tmp_path}/blobs")
    data = b"same" * 100_000
    digests = await asyncio.gather(*(store.put(data) for _ in range(20)))
    assert len(set(digests)) == 1
    files = [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
    assert [str(path.relative_to(tmp_path / "blobs")) for path in files] == [blob_path(digests[0])]
    assert await store.get(digests[0]) == data


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=2_000), max_size=6))
def test_however_bytes_are_cut_the_digest_is_that_of_the_whole(chunks: list[bytes]) -> None:
    async def stream() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    async def check() -> None:
        with tempfile.TemporaryDirectory() as folder:
            store = BlobStore.open(f"file://{folder}")
            digest = await store.put(stream())
            assert digest == hashlib.sha256(b"".join(chunks)).hexdigest()
            assert await store.get(digest) == b"".join(chunks)

    asyncio.run(check())


@pytest.mark.parametrize("text", ["../../etc/passwd", "", "A" * 64, "0" * 63, "0" * 64 + "\n"])
async def test_a_text_that_is_no_digest_never_becomes_a_path(tmp_path: Path, text: str) -> None:
    store = BlobStore.open(f"file://{tmp_path}")
    with pytest.raises(BlobNotFound):
        await store.get(Digest(text))


@pytest.mark.parametrize("url", ["", "/folder", "file://host/folder", "s3://", "http://x/y", "file:"])
def test_an_address_that_names_no_store_is_refused(url: str) -> None:
    with pytest.raises(BlobStoreAddress):
        BlobStore.open(url)


async def test_a_store_that_does_not_answer_is_unavailable() -> None:
    (port,) = _free_ports(1)
    settings_ = {"endpoint": f"http://127.0.0.1:{port}", "allow_http": "true", "region": "us-east-1"}
    keys = {"access_key_id": "a", "secret_access_key": "b", "retry_seconds_max": "0.2"}
    store = BlobStore.open("s3://blobs", {**settings_, **keys})
    with pytest.raises(BlobStoreUnavailable):
        await store.put(b"x")


def test_the_folder_of_blobs_is_closed_to_other_users(tmp_path: Path) -> None:
    BlobStore.open(f"file://{tmp_path}/new")
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0
