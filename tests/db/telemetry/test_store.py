"""The telemetry store: it opens, migrates, refuses and closes as promised, and binds every value."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from specloop.db.errors import FolderLocked, SchemaTooNew
from specloop.db.telemetry import TelemetryQueryFailed, TelemetryStore, TelemetryUnavailable, TelemetryUnreachable
from specloop.db.telemetry.migrations import Migration, packaged_migrations

WORKSPACE = "00000000-0000-7000-8000-000000000001"
COUNT = "SELECT count() AS count FROM spans WHERE workspace_id = {workspace_id:UUID}"
TABLES = """
SELECT name, engine_full, create_table_query FROM system.tables
WHERE database = currentDatabase() AND toString({workspace_id:UUID}) != '' ORDER BY name
"""


async def _schema(store: TelemetryStore) -> list[dict[str, str]]:
    return [row for row in await store.query(TABLES, workspace_id=WORKSPACE) if row["name"] != "specloop_migrations"]


async def test_opening_twice_gives_the_same_schema_and_applies_nothing_again(dsn: str) -> None:
    first = await TelemetryStore.open(dsn)
    schema = await _schema(first)
    await first.close()
    second = await TelemetryStore.open(dsn)
    applied = await second.query(
        "SELECT number FROM specloop_migrations WHERE toString({workspace_id:UUID}) != ''", workspace_id=WORKSPACE
    )
    assert sorted(row["number"] for row in applied) == [migration.number for migration in packaged_migrations()]
    assert await _schema(second) == schema
    await second.close()


async def test_a_migration_cut_short_is_finished_by_the_next_start(dsn: str) -> None:
    whole = packaged_migrations()
    cut = Migration(whole[0].number, whole[0].name, (*whole[0].statements[:1], "SELECT throwIf(1, 'killed')"))
    with pytest.raises(TelemetryQueryFailed, match="killed"):
        await TelemetryStore.open(dsn, migrations=[cut])
    store = await TelemetryStore.open(dsn)
    assert {row["name"] for row in await _schema(store)} >= {"spans", "traces", "traces_from_spans"}
    await store.close()


async def test_an_upgrade_gives_the_schema_of_a_fresh_start(dsn: str) -> None:
    added = Migration(9_001, "more", ("ALTER TABLE traces ADD COLUMN IF NOT EXISTS more String",))
    first = await TelemetryStore.open(dsn)
    await first.close()
    upgraded = await TelemetryStore.open(dsn, migrations=[*packaged_migrations(), added])
    schema = await _schema(upgraded)
    await upgraded.close()
    fresh = await TelemetryStore.open(dsn + "?database=fresh", migrations=[*packaged_migrations(), added])
    assert str(await _schema(fresh)).replace("fresh.", "specloop.") == str(schema)
    await fresh.close()


async def test_a_store_newer_than_the_program_is_refused(dsn: str) -> None:
    newer = await TelemetryStore.open(dsn, migrations=[Migration(9_999, "future", ())])
    await newer.close()
    with pytest.raises(SchemaTooNew, match="9999"):
        await TelemetryStore.open(dsn)


async def test_a_folder_in_use_is_refused_with_the_owner(dsn: str) -> None:
    store = await TelemetryStore.open(dsn)
    program = (
        "import asyncio, sys\n"
        "from specloop.db.errors import FolderLocked\n"
        "from specloop.db.telemetry import TelemetryStore\n"
        "try:\n    asyncio.run(TelemetryStore.open(sys.argv[1]))\n"
        "except FolderLocked as error:\n    print(error.detail)\n"
    )
    child = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", program, dsn], capture_output=True, text=True, check=False
    )
    assert "is in use by another Specloop process (pid " in child.stdout
    assert child.stderr == ""
    with pytest.raises(FolderLocked):
        await TelemetryStore.open(dsn)
    await store.close()


@pytest.mark.parametrize(
    "address", ["", "spans.db", "chdb://", "sqlite:///x", "clickhouse://", "clickhouse://h:99999/x", "chdb://host/path"]
)
async def test_an_address_that_names_no_store_is_refused(address: str) -> None:
    with pytest.raises(TelemetryUnreachable):
        await TelemetryStore.open(address)


async def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(TelemetryUnreachable) as caught:
        await TelemetryStore.open("clickhouse://user:s3cretword@127.0.0.1:1/spans")
    assert "clickhouse://127.0.0.1:1/spans" in caught.value.detail
    assert "s3cretword" not in caught.value.detail


async def test_a_statement_without_its_workspace_never_runs(dsn: str) -> None:
    store = await TelemetryStore.open(dsn)
    with pytest.raises(ValueError, match="workspace"):
        await store.query("SELECT count() FROM spans", workspace_id=WORKSPACE)
    with pytest.raises(ValueError, match="workspace"):
        await store.change(["DELETE FROM spans WHERE 1"], workspace_id=WORKSPACE)
    await store.close()


@pytest.mark.parametrize("value", ["a'b", "\\'", "x\\", "\x00", "tab\t\n", "{workspace_id:UUID}", "é€😀", "%s %(a)s"])
async def test_values_are_bound_as_they_are(dsn: str, value: str) -> None:
    store = await TelemetryStore.open(dsn)
    sql = "SELECT {value:String} AS value, {list:Array(String)} AS list, toString({workspace_id:UUID}) AS workspace"
    rows = await store.query(sql, workspace_id=WORKSPACE, parameters={"value": value, "list": [value, value]})
    assert rows == [{"value": value, "list": [value, value], "workspace": WORKSPACE}]
    await store.close()


async def test_reading_handles_cannot_write(dsn: str) -> None:
    store = await TelemetryStore.open(dsn)
    with pytest.raises(TelemetryQueryFailed):
        await store.query("ALTER TABLE spans DELETE WHERE workspace_id = {workspace_id:UUID}", workspace_id=WORKSPACE)
    await store.close()


async def test_many_tasks_read_at_once_and_a_closed_store_says_so(dsn: str) -> None:
    store = await TelemetryStore.open(dsn)
    rows = await asyncio.gather(*(store.query(COUNT, workspace_id=WORKSPACE) for _ in range(20)))
    assert all(row == [{"count": 0}] for row in rows)
    await store.ping()
    await store.close()
    with pytest.raises(TelemetryUnavailable):
        await store.ping()
