"""Custody of the holdout: the only place of this domain that reads sealed payloads.

Two use cases need them: dividing a draft into its parts, and the audited reveal. Neither `scans` nor anything that a
search can reach may import this file (spectral.md §1.4 invariant 5).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, insert, select

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest, paginate
from specloop.improve.samples.division import Divided
from specloop.improve.samples.model import Sample, Split
from specloop.improve.samples.repository import to_sample
from specloop.improve.samples.tables import HoldoutSampleRow, SampleRow


async def all_samples(ctx: Context, version_id: str) -> list[Sample]:
    """Every sample of a draft, sealed ones included, in order: what the division works on."""
    found: list[Sample] = []
    for table in (SampleRow, HoldoutSampleRow):
        rows = await ctx.session.scalars(
            select(table).where(table.workspace_id == ctx.workspace_id, table.version_id == version_id)
        )
        found.extend(to_sample(row) for row in rows)
    return sorted(found, key=lambda sample: (sample.ordinal, sample.id))


async def place(ctx: Context, samples: list[Sample], divided: Divided) -> None:
    """Rewrite a draft's samples into the parts that the division found."""
    version_id = samples[0].version_id
    for table in (SampleRow, HoldoutSampleRow):
        await ctx.session.execute(
            delete(table).where(table.workspace_id == ctx.workspace_id, table.version_id == version_id)
        )
    open_rows: list[dict[str, Any]] = []
    sealed_rows: list[dict[str, Any]] = []
    for sample in samples:
        values = _values(ctx, sample, divided.groups[sample.id])
        split = divided.splits[sample.id]
        if split is Split.HOLDOUT:
            sealed_rows.append(values)
        else:
            open_rows.append({**values, "split": split.value})
    if open_rows:
        await ctx.session.execute(insert(SampleRow), open_rows)
    if sealed_rows:
        await ctx.session.execute(insert(HoldoutSampleRow), sealed_rows)


async def reveal_page(ctx: Context, version_id: str, page: PageRequest) -> Page[Sample]:
    """Sealed samples with their payloads. The service audits this and burns the version."""
    rows = await paginate(
        ctx.session,
        select(HoldoutSampleRow).where(
            HoldoutSampleRow.workspace_id == ctx.workspace_id, HoldoutSampleRow.version_id == version_id
        ),
        page,
        sortable={"ordinal": HoldoutSampleRow.ordinal},
        default_sort="ordinal",
        tie_break=HoldoutSampleRow.id,
    )
    return Page([to_sample(row) for row in rows.results], rows.total, rows.limit, rows.offset)


def _values(ctx: Context, sample: Sample, cohort: str) -> dict[str, Any]:
    return {
        "version_id": sample.version_id,
        "id": sample.id,
        "account_id": ctx.principal.account_id,
        "workspace_id": ctx.workspace_id,
        "ordinal": sample.ordinal,
        "input": sample.input,
        "reference": sample.reference,
        "details": sample.metadata,
        "group_key": sample.group_key,
        "cohort": cohort,
        "source": sample.source,
        "trace_id": sample.trace_id,
        "content_hash": sample.content_hash,
        "created_at": sample.created_at,
        "updated_at": sample.updated_at,
        "created_by": sample.created_by,
    }
