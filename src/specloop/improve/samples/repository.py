"""SQL of sample sets, versions, and the train and val samples. Holdout payloads are not read here: see `holdout.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import Select, delete, func, insert, literal, select

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest, paginate
from specloop.improve.samples.errors import SampleNotFound, SampleSetNotFound
from specloop.improve.samples.model import NewSample, Sample, SampleSet, SealedSample, SetVersion, Split, VersionStatus
from specloop.improve.samples.tables import HoldoutSampleRow, SampleRow, SampleSetRow, SampleSetVersionRow
from specloop.kit.ids import new_id

_SORTABLE = {"created_at": SampleSetRow.created_at, "updated_at": SampleSetRow.updated_at, "name": SampleSetRow.name}


async def insert_set(ctx: Context, name: str, description: str, labels: dict[str, Any]) -> str:
    """A new set with version 1 as a draft; returns its id."""
    now = ctx.clock.now()
    set_id = new_id()
    ctx.session.add(
        SampleSetRow(
            id=set_id,
            account_id=ctx.principal.account_id,
            workspace_id=ctx.workspace_id,
            name=name,
            description=description,
            labels=labels,
            created_at=now,
            updated_at=now,
            created_by=ctx.principal.actor_id,
        )
    )
    await ctx.session.flush()
    await insert_version(ctx, set_id, 1)
    return set_id


async def insert_version(ctx: Context, set_id: str, version: int) -> str:
    """An empty draft version; returns its id."""
    now = ctx.clock.now()
    version_id = new_id()
    ctx.session.add(
        SampleSetVersionRow(
            id=version_id,
            account_id=ctx.principal.account_id,
            workspace_id=ctx.workspace_id,
            set_id=set_id,
            version=version,
            status=VersionStatus.DRAFT.value,
            split={},
            leakage={},
            counts={},
            created_at=now,
            updated_at=now,
            created_by=ctx.principal.actor_id,
        )
    )
    await ctx.session.flush()
    return version_id


async def copy_samples(ctx: Context, source_id: str, target_id: str) -> None:
    """Put every sample of one version into another, inside the database, so that the holdout stays sealed."""
    for table in (SampleRow.__table__, HoldoutSampleRow.__table__):
        columns = [column for column in table.c if column.name != "version_id"]
        rows = select(literal(target_id), *columns).where(
            table.c.workspace_id == ctx.workspace_id, table.c.version_id == source_id
        )
        names = ["version_id", *(column.name for column in columns)]
        await ctx.session.execute(insert(cast(Any, table)).from_select(names, rows))


async def page_of_sets(ctx: Context, page: PageRequest) -> Page[SampleSet]:
    """Sets of the workspace with their newest versions."""
    query = cast("Select[Any]", _shown()).where(SampleSetRow.workspace_id == ctx.workspace_id)
    rows = await paginate(
        ctx.session, query, page, sortable=_SORTABLE, default_sort="-created_at", tie_break=SampleSetRow.id
    )
    return Page([_set(row, version) for row, version in rows.results], rows.total, rows.limit, rows.offset)


async def find_set(ctx: Context, set_id: str, version: int | None = None) -> SampleSet:
    """A set showing `version` (default: the newest).

    Raises: SampleSetNotFound.
    """
    query = _shown(version).where(SampleSetRow.workspace_id == ctx.workspace_id, SampleSetRow.id == set_id)
    found = (await ctx.session.execute(query)).first()
    if found is None:
        raise SampleSetNotFound
    return _set(found[0], found[1])


async def set_row(ctx: Context, set_id: str) -> SampleSetRow:
    """The set's row, locked for the rest of the transaction.

    Raises: SampleSetNotFound.
    """
    row = await ctx.session.scalar(
        select(SampleSetRow)
        .where(SampleSetRow.workspace_id == ctx.workspace_id, SampleSetRow.id == set_id)
        .with_for_update()
    )
    if row is None:
        raise SampleSetNotFound
    return row


async def version_row(ctx: Context, version_id: str) -> SampleSetVersionRow:
    """A version's row, locked for the rest of the transaction.

    Raises: SampleSetNotFound.
    """
    row = await ctx.session.scalar(
        select(SampleSetVersionRow)
        .where(SampleSetVersionRow.workspace_id == ctx.workspace_id, SampleSetVersionRow.id == version_id)
        .with_for_update()
    )
    if row is None:
        raise SampleSetNotFound
    return row


async def version_by_id(ctx: Context, version_id: str) -> SetVersion:
    """A version by its own id.

    Raises: SampleSetNotFound.
    """
    row = await ctx.session.scalar(
        select(SampleSetVersionRow).where(
            SampleSetVersionRow.workspace_id == ctx.workspace_id, SampleSetVersionRow.id == version_id
        )
    )
    if row is None:
        raise SampleSetNotFound
    return to_version(row)


async def versions_of(ctx: Context, set_id: str, page: PageRequest) -> Page[SetVersion]:
    """The versions of a set, newest first."""
    rows = await paginate(
        ctx.session,
        select(SampleSetVersionRow).where(
            SampleSetVersionRow.workspace_id == ctx.workspace_id, SampleSetVersionRow.set_id == set_id
        ),
        page,
        sortable={"version": SampleSetVersionRow.version},
        default_sort="-version",
        tie_break=SampleSetVersionRow.id,
    )
    return Page([to_version(row) for row in rows.results], rows.total, rows.limit, rows.offset)


async def delete_set(ctx: Context, set_id: str) -> None:
    """Remove a set with everything in it."""
    await ctx.session.execute(
        delete(SampleSetRow).where(SampleSetRow.workspace_id == ctx.workspace_id, SampleSetRow.id == set_id)
    )


async def insert_samples(
    ctx: Context, version_id: str, samples: Sequence[NewSample], hashes: Sequence[str]
) -> list[str]:
    """Add samples behind those that are there; returns their ids. Holdout ones go under seal."""
    start = await _next_ordinal(ctx, version_id)
    now = ctx.clock.now()
    ids = [new_id() for _ in samples]
    open_rows: list[dict[str, Any]] = []
    sealed_rows: list[dict[str, Any]] = []
    for offset, (sample_id, sample, digest) in enumerate(zip(ids, samples, hashes, strict=True)):
        values: dict[str, Any] = {
            "version_id": version_id,
            "id": sample_id,
            "account_id": ctx.principal.account_id,
            "workspace_id": ctx.workspace_id,
            "ordinal": start + offset,
            "input": sample.input,
            "reference": sample.reference,
            "details": sample.metadata or {},
            "group_key": sample.group_key,
            "source": sample.source,
            "trace_id": sample.trace_id,
            "content_hash": digest,
            "created_at": now,
            "updated_at": now,
            "created_by": ctx.principal.actor_id,
        }
        if sample.split is Split.HOLDOUT:
            sealed_rows.append(values)
        else:
            open_rows.append({**values, "split": sample.split.value})
    if open_rows:
        await ctx.session.execute(insert(SampleRow), open_rows)
    if sealed_rows:
        await ctx.session.execute(insert(HoldoutSampleRow), sealed_rows)
    return ids


async def _next_ordinal(ctx: Context, version_id: str) -> int:
    highest = [
        await ctx.session.scalar(select(func.max(table.ordinal)).where(table.version_id == version_id))
        for table in (SampleRow, HoldoutSampleRow)
    ]
    return max((one for one in highest if one is not None), default=-1) + 1


async def page_of_samples(ctx: Context, version_id: str, split: Split | None, page: PageRequest) -> Page[Sample]:
    """Train, val and unassigned samples in order; never holdout."""
    query = select(SampleRow).where(SampleRow.workspace_id == ctx.workspace_id, SampleRow.version_id == version_id)
    if split is not None:
        query = query.where(SampleRow.split == split.value)
    rows = await paginate(
        ctx.session,
        query,
        page,
        sortable={"ordinal": SampleRow.ordinal, "created_at": SampleRow.created_at},
        default_sort="ordinal",
        tie_break=SampleRow.id,
    )
    return Page([to_sample(row) for row in rows.results], rows.total, rows.limit, rows.offset)


async def page_of_sealed(ctx: Context, version_id: str, page: PageRequest) -> Page[SealedSample]:
    """The ids of holdout samples, without their payloads."""
    columns = select(HoldoutSampleRow.id, HoldoutSampleRow.ordinal, HoldoutSampleRow.created_at)
    query = cast("Select[Any]", columns).where(
        HoldoutSampleRow.workspace_id == ctx.workspace_id, HoldoutSampleRow.version_id == version_id
    )
    rows = await paginate(
        ctx.session,
        query,
        page,
        sortable={"ordinal": HoldoutSampleRow.ordinal},
        default_sort="ordinal",
        tie_break=HoldoutSampleRow.id,
    )
    return Page([SealedSample(*row) for row in rows.results], rows.total, rows.limit, rows.offset)


async def open_samples(ctx: Context, version_id: str, *splits: Split) -> list[Sample]:
    """All samples of these open parts (all open parts when none is named), in order. This is what a search may read."""
    query = select(SampleRow).where(SampleRow.workspace_id == ctx.workspace_id, SampleRow.version_id == version_id)
    if splits:
        query = query.where(SampleRow.split.in_([split.value for split in splits]))
    rows = await ctx.session.scalars(query.order_by(SampleRow.ordinal, SampleRow.id))
    return [to_sample(row) for row in rows]


async def sample_row(ctx: Context, version_id: str, sample_id: str) -> SampleRow:
    """An open sample's row.

    Raises: SampleNotFound.
    """
    row = await ctx.session.scalar(
        select(SampleRow).where(
            SampleRow.workspace_id == ctx.workspace_id, SampleRow.version_id == version_id, SampleRow.id == sample_id
        )
    )
    if row is None:
        raise SampleNotFound
    return row


async def is_sealed_sample(ctx: Context, version_id: str, sample_id: str) -> bool:
    """Whether a holdout sample has this id."""
    query = select(HoldoutSampleRow.id).where(
        HoldoutSampleRow.workspace_id == ctx.workspace_id,
        HoldoutSampleRow.version_id == version_id,
        HoldoutSampleRow.id == sample_id,
    )
    return await ctx.session.scalar(query) is not None


async def delete_sample(ctx: Context, version_id: str, sample_id: str) -> None:
    """Remove a sample of any part."""
    for table in (SampleRow, HoldoutSampleRow):
        await ctx.session.execute(
            delete(table).where(
                table.workspace_id == ctx.workspace_id, table.version_id == version_id, table.id == sample_id
            )
        )


async def counts(ctx: Context, version_id: str) -> dict[str, int]:
    """How many samples each part has; `unassigned` are those that no split has placed."""
    rows = await ctx.session.execute(
        select(SampleRow.split, func.count())
        .where(SampleRow.workspace_id == ctx.workspace_id, SampleRow.version_id == version_id)
        .group_by(SampleRow.split)
    )
    found = {str(split): int(count) for split, count in rows}
    sealed = await ctx.session.scalar(
        select(func.count())
        .select_from(HoldoutSampleRow)
        .where(HoldoutSampleRow.workspace_id == ctx.workspace_id, HoldoutSampleRow.version_id == version_id)
    )
    return {
        "train": found.get(Split.TRAIN, 0),
        "val": found.get(Split.VAL, 0),
        "holdout": sealed or 0,
        "unassigned": found.get(Split.UNASSIGNED, 0),
    }


async def hashes(ctx: Context, version_id: str) -> dict[str, list[str]]:
    """The content hashes by part, in order; hashes of sealed samples tell nothing about their payloads."""
    open_rows = await ctx.session.execute(
        select(SampleRow.split, SampleRow.content_hash)
        .where(SampleRow.workspace_id == ctx.workspace_id, SampleRow.version_id == version_id)
        .order_by(SampleRow.ordinal, SampleRow.id)
    )
    found: dict[str, list[str]] = {"train": [], "val": [], "holdout": [], "unassigned": []}
    for split, digest in open_rows:
        found[split or "unassigned"].append(digest)
    sealed = await ctx.session.scalars(
        select(HoldoutSampleRow.content_hash)
        .where(HoldoutSampleRow.workspace_id == ctx.workspace_id, HoldoutSampleRow.version_id == version_id)
        .order_by(HoldoutSampleRow.ordinal, HoldoutSampleRow.id)
    )
    found["holdout"] = list(sealed)
    return found


def _shown(version: int | None = None) -> Select[SampleSetRow, SampleSetVersionRow]:
    wanted = SampleSetRow.latest_version if version is None else version
    return select(SampleSetRow, SampleSetVersionRow).join(
        SampleSetVersionRow, (SampleSetVersionRow.set_id == SampleSetRow.id) & (SampleSetVersionRow.version == wanted)
    )


def _set(row: SampleSetRow, version: SampleSetVersionRow) -> SampleSet:
    return SampleSet(
        id=row.id,
        name=row.name,
        description=row.description,
        labels=row.labels,
        latest_version=row.latest_version,
        revision=row.revision,
        created_at=row.created_at,
        updated_at=row.updated_at,
        created_by=row.created_by,
        shown=to_version(version),
    )


def to_version(row: SampleSetVersionRow) -> SetVersion:
    """The version a row holds."""
    return SetVersion(
        id=row.id,
        set_id=row.set_id,
        version=row.version,
        status=VersionStatus(row.status),
        split=row.split,
        leakage=row.leakage,
        counts=row.counts,
        content_hash=row.content_hash,
        is_sealed=row.is_sealed,
        created_at=row.created_at,
        updated_at=row.updated_at,
        frozen_at=row.frozen_at,
        created_by=row.created_by,
    )


def to_sample(row: SampleRow | HoldoutSampleRow) -> Sample:
    """The sample a row holds."""
    return Sample(
        id=row.id,
        version_id=row.version_id,
        ordinal=row.ordinal,
        input=row.input,
        reference=row.reference,
        metadata=row.details,
        split=Split(row.split) if isinstance(row, SampleRow) else Split.HOLDOUT,
        group_key=row.group_key,
        source=row.source,
        trace_id=row.trace_id,
        content_hash=row.content_hash,
        created_at=row.created_at,
        updated_at=row.updated_at,
        created_by=row.created_by,
    )
