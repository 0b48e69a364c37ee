"""Use cases of sample sets: fill, divide, freeze, look at, reveal (spectral.md §1.3 router 14, §2.1)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest
from specloop.identity import audit
from specloop.improve.samples import division, holdout, repository
from specloop.improve.samples.errors import (
    HoldoutSealed,
    NothingToSplit,
    SampleSetNotFound,
    SetInUse,
    VersionFrozen,
)
from specloop.improve.samples.model import (
    NewSample,
    Sample,
    SampleSet,
    SealedSample,
    SetVersion,
    Split,
    VersionStatus,
    content_hash,
    move,
)
from specloop.improve.samples.tables import SampleSetVersionRow
from specloop.kit.json import canonical_hash

_EMPTY: dict[str, Any] = {"metadata": {}, "split": "", "input": None, "reference": None, "group_key": None}

ActiveUse = Callable[[Context, str], Awaitable[str | None]]
Power = Callable[[int], dict[str, Any]]
"""What a holdout of so many samples can certify; statistics belong to validation, a domain above."""


async def nobody_uses(ctx: Context, object_id: str) -> str | None:
    """The answer while no domain above is there."""
    del ctx, object_id
    return None


@dataclass(frozen=True, slots=True)
class Added:
    """What a bulk request did."""

    ids: list[str]
    duplicates: int


class SampleService:
    """The sample sets of a workspace."""

    def __init__(self, power: Power, active_use: ActiveUse = nobody_uses) -> None:
        self._power = power
        self._active_use = active_use

    async def create_set(self, ctx: Context, name: str, description: str, labels: dict[str, Any]) -> SampleSet:
        """An empty set with version 1 as a draft."""
        set_id = await repository.insert_set(ctx, name, description, labels)
        await audit.record(ctx, "sample_set.created", "sample_set", set_id, {"name": name})
        return await repository.find_set(ctx, set_id)

    async def read_set(self, ctx: Context, set_id: str, version: int | None = None) -> SampleSet:
        """A set with the asked version, the newest by default.

        Raises: SampleSetNotFound.
        """
        return await repository.find_set(ctx, set_id, version)

    async def list_sets(self, ctx: Context, page: PageRequest) -> Page[SampleSet]:
        """The sets of the workspace."""
        return await repository.page_of_sets(ctx, page)

    async def update_set(
        self, ctx: Context, set_id: str, name: str | None, description: str | None, labels: dict[str, Any] | None
    ) -> SampleSet:
        """Rename or relabel.

        Raises: SampleSetNotFound.
        """
        row = await repository.set_row(ctx, set_id)
        row.name = name if name is not None else row.name
        row.description = description if description is not None else row.description
        row.labels = labels if labels is not None else row.labels
        row.revision += 1
        row.updated_at = ctx.clock.now()
        await ctx.session.flush()
        await audit.record(ctx, "sample_set.updated", "sample_set", set_id)
        return await repository.find_set(ctx, set_id)

    async def delete_set(self, ctx: Context, set_id: str) -> None:
        """Remove a set with all its versions.

        Raises: SampleSetNotFound; SetInUse.
        """
        await repository.set_row(ctx, set_id)
        scan_id = await self._active_use(ctx, set_id)
        if scan_id is not None:
            raise SetInUse(f"scan {scan_id} uses the sample set", scan_id=scan_id)
        await repository.delete_set(ctx, set_id)
        await audit.record(ctx, "sample_set.deleted", "sample_set", set_id)

    async def versions(self, ctx: Context, set_id: str, page: PageRequest) -> Page[SetVersion]:
        """All versions, newest first.

        Raises: SampleSetNotFound.
        """
        await repository.find_set(ctx, set_id)
        return await repository.versions_of(ctx, set_id, page)

    async def make_version(self, ctx: Context, set_id: str) -> SampleSet:
        """The next draft with a copy of the newest version's samples, each in the part where it was.

        Raises: SampleSetNotFound; InvalidTransition while the newest version is still a draft.
        """
        row = await repository.set_row(ctx, set_id)
        newest = (await repository.find_set(ctx, set_id)).shown
        if newest.status is VersionStatus.DRAFT:
            move(newest.status, VersionStatus.DRAFT)
        row.latest_version += 1
        row.revision += 1
        row.updated_at = ctx.clock.now()
        version_id = await repository.insert_version(ctx, set_id, row.latest_version)
        await repository.copy_samples(ctx, newest.id, version_id)
        await self._recount(ctx, await repository.version_row(ctx, version_id))
        await audit.record(ctx, "sample_set.version_created", "sample_set", set_id, {"version": row.latest_version})
        return await repository.find_set(ctx, set_id)

    async def freeze(self, ctx: Context, set_id: str) -> SampleSet:
        """End the editing of the newest version; samples that no split has placed are divided by default first.

        Raises: SampleSetNotFound; NothingToSplit; InvalidTransition when it is not a draft.
        """
        found = await repository.find_set(ctx, set_id)
        await self.freeze_version(ctx, found.shown.id)
        return await repository.find_set(ctx, set_id)

    async def freeze_version(self, ctx: Context, version_id: str) -> SetVersion:
        """Freeze one version: its first use does this.

        Raises: SampleSetNotFound; NothingToSplit; InvalidTransition when it is not a draft.
        """
        row = await repository.version_row(ctx, version_id)
        status = move(VersionStatus(row.status), VersionStatus.FROZEN)
        counts = await repository.counts(ctx, version_id)
        if sum(counts.values()) == 0:
            raise NothingToSplit
        if counts["unassigned"] or not row.leakage:
            await self._divide(ctx, row, division.Wanted())
        row.status = status.value
        row.frozen_at = row.updated_at = ctx.clock.now()
        row.content_hash = canonical_hash(await repository.hashes(ctx, version_id))
        await ctx.session.flush()
        await audit.record(ctx, "sample_set.frozen", "sample_set", row.set_id, {"version": row.version})
        return await repository.version_by_id(ctx, version_id)

    async def split(self, ctx: Context, set_id: str, wanted: division.Wanted) -> SampleSet:
        """Divide the draft. In version 1 everything is placed anew; later, samples that have a part keep it.

        A sample that was once trained on must not become proof, and sealed ones must not become training.
        Raises: SampleSetNotFound; VersionFrozen; NothingToSplit; ValidationFailed.
        """
        row = await self._draft_row(ctx, set_id)
        await self._divide(ctx, row, wanted, again=row.version == 1)
        await ctx.session.flush()
        await audit.record(ctx, "sample_set.split", "sample_set", set_id, {"version": row.version})
        return await repository.find_set(ctx, set_id)

    async def _divide(
        self, ctx: Context, row: SampleSetVersionRow, wanted: division.Wanted, *, again: bool = False
    ) -> None:
        samples = await holdout.all_samples(ctx, row.id)
        if not samples:
            raise NothingToSplit
        name = (await repository.find_set(ctx, row.set_id)).name
        divided = await asyncio.to_thread(division.divide, samples, wanted, f"{name}:{wanted.seed}", again=again)
        await holdout.place(ctx, samples, divided)
        row.split = divided.settings
        row.leakage = divided.leakage
        row.updated_at = ctx.clock.now()
        await self._recount(ctx, row)

    async def _recount(self, ctx: Context, row: SampleSetVersionRow) -> None:
        row.counts = dict(await repository.counts(ctx, row.id))

    async def _draft_row(self, ctx: Context, set_id: str) -> SampleSetVersionRow:
        found = await repository.find_set(ctx, set_id)
        row = await repository.version_row(ctx, found.shown.id)
        if row.status != VersionStatus.DRAFT:
            raise VersionFrozen
        return row

    async def add_items(self, ctx: Context, set_id: str, samples: Sequence[NewSample]) -> Added:
        """Add samples to the draft; equal ones are kept and counted.

        Raises: SampleSetNotFound; VersionFrozen.
        """
        row = await self._draft_row(ctx, set_id)
        digests = await asyncio.to_thread(lambda: [sample.content_hash for sample in samples])
        known = {one for part in (await repository.hashes(ctx, row.id)).values() for one in part}
        ids = await repository.insert_samples(ctx, row.id, samples, digests)
        duplicates = sum(digest in known or digest in digests[:index] for index, digest in enumerate(digests))
        row.updated_at = ctx.clock.now()
        row.leakage = {}
        await self._recount(ctx, row)
        await ctx.session.flush()
        await audit.record(ctx, "sample_set.items_added", "sample_set", set_id, {"count": len(ids)})
        return Added(ids, duplicates)

    async def items(
        self, ctx: Context, set_id: str, split: Split | None, page: PageRequest, version: int | None = None
    ) -> Page[Sample] | Page[SealedSample]:
        """Samples of the shown version; of the holdout only ids.

        Raises: SampleSetNotFound.
        """
        found = await repository.find_set(ctx, set_id, version)
        if split is Split.HOLDOUT:
            return await repository.page_of_sealed(ctx, found.shown.id, page)
        return await repository.page_of_samples(ctx, found.shown.id, split, page)

    async def reveal_holdout(
        self, ctx: Context, set_id: str, page: PageRequest, version: int | None = None
    ) -> Page[Sample]:
        """The sealed samples themselves. The version is burned: what is validated on it later is contaminated.

        Raises: SampleSetNotFound.
        """
        found = await repository.find_set(ctx, set_id, version)
        row = await repository.version_row(ctx, found.shown.id)
        row.is_sealed = False
        row.updated_at = ctx.clock.now()
        detail = {"version": row.version, "limit": page.limit, "offset": page.offset}
        await audit.record(ctx, "sample_set.holdout_revealed", "sample_set", set_id, detail)
        return await holdout.reveal_page(ctx, row.id, page)

    async def update_item(self, ctx: Context, set_id: str, item_id: str, changes: dict[str, Any]) -> Sample:
        """Change a sample of the draft; `changes` holds wire names.

        Raises: SampleSetNotFound; SampleNotFound; VersionFrozen; HoldoutSealed.
        """
        version = await self._draft_row(ctx, set_id)
        if await repository.is_sealed_sample(ctx, version.id, item_id):
            raise HoldoutSealed
        row = await repository.sample_row(ctx, version.id, item_id)
        for name, value in changes.items():
            setattr(row, {"metadata": "details"}.get(name, name), _EMPTY[name] if value is None else value)
        row.content_hash = content_hash(row.input, row.reference)
        row.updated_at = version.updated_at = ctx.clock.now()
        version.leakage = {}
        await ctx.session.flush()
        await self._recount(ctx, version)
        await audit.record(ctx, "sample_set.item_updated", "sample_set", set_id, {"item_id": item_id})
        return repository.to_sample(row)

    async def delete_item(self, ctx: Context, set_id: str, item_id: str) -> None:
        """Remove a sample from the draft.

        Raises: SampleSetNotFound; SampleNotFound; VersionFrozen.
        """
        version = await self._draft_row(ctx, set_id)
        if not await repository.is_sealed_sample(ctx, version.id, item_id):
            await repository.sample_row(ctx, version.id, item_id)
        await repository.delete_sample(ctx, version.id, item_id)
        version.leakage = {}
        version.updated_at = ctx.clock.now()
        await self._recount(ctx, version)
        await audit.record(ctx, "sample_set.item_deleted", "sample_set", set_id, {"item_id": item_id})

    async def stats(self, ctx: Context, set_id: str, version: int | None, label_by: str) -> dict[str, Any]:
        """Counts by part and label (open parts), duplicates, the leakage report, and what the holdout can prove.

        Raises: SampleSetNotFound.
        """
        found = await repository.find_set(ctx, set_id, version)
        by_split = await repository.counts(ctx, found.shown.id)
        digests = [one for part in (await repository.hashes(ctx, found.shown.id)).values() for one in part]
        labels: dict[str, Counter[str]] = {}
        for sample in await repository.open_samples(ctx, found.shown.id):
            label = sample.metadata.get(label_by)
            if label is not None:
                labels.setdefault(sample.split or "unassigned", Counter())[str(label)] += 1
        return {
            "set_id": set_id,
            "version": found.shown.version,
            "total": sum(by_split.values()),
            "duplicates": len(digests) - len(set(digests)),
            "by_split": by_split,
            "by_label": {split: dict(counted) for split, counted in labels.items()},
            "leakage": found.shown.leakage,
            "power": await asyncio.to_thread(self._power, by_split["holdout"]),
        }

    async def usable(self, ctx: Context, set_id: str, version: int | None = None) -> SetVersion:
        """The version for a scan to pin; a draft is frozen by this first use.

        Raises: SampleSetNotFound; NothingToSplit; VersionFrozen for an archived version.
        """
        shown = (await repository.find_set(ctx, set_id, version)).shown
        if shown.status is VersionStatus.ARCHIVED:
            raise VersionFrozen("this version is archived")
        return await self.freeze_version(ctx, shown.id) if shown.status is VersionStatus.DRAFT else shown

    async def version(self, ctx: Context, version_id: str) -> SetVersion:
        """A version by its own id.

        Raises: SampleSetNotFound.
        """
        return await repository.version_by_id(ctx, version_id)

    async def train_and_val(self, ctx: Context, version_id: str) -> tuple[list[Sample], list[Sample]]:
        """What a search may see of a version."""
        samples = await repository.open_samples(ctx, version_id, Split.TRAIN, Split.VAL)
        return [s for s in samples if s.split is Split.TRAIN], [s for s in samples if s.split is Split.VAL]


__all__ = ["Added", "SampleService", "SampleSetNotFound"]
