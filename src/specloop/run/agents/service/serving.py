"""The hot path: what a running agent asks for again and again, its config.

A version never changes, so its answer is kept as bytes. Which version is promoted costs one small query, whose result
is remembered for at most two seconds and until the next audited change in this process: a promotion made here is live
on the next call, one made by another process within two seconds (the answer itself may be cached for five).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace

from specloop.db.context import Context
from specloop.db.uow import UnitOfWork
from specloop.errors import Forbidden
from specloop.identity.audit import Epoch, Memory, Units
from specloop.kit import json
from specloop.run.agents.errors import AgentNotFound, VersionNotFound
from specloop.run.agents.repository import agents, versions
from specloop.run.agents.service.versions import etag_of

CACHE_BYTES_MAX = 64 * 1024 * 1024
READ_SCOPE = "read:workspace"


@dataclass(frozen=True, slots=True)
class ServedConfig:
    """An answer ready to be sent; `tag` is the value of its ETag."""

    tag: str
    body: bytes


class ConfigServer:
    """Serves configs from memory, at most 64 MiB of them, the longest unused dropped first.

    `epoch` counts the audited changes of the state store (`audit.epoch_of`).
    """

    def __init__(self, epoch: Epoch, units: Units, cache_bytes_max: int = CACHE_BYTES_MAX) -> None:
        self._heads: Memory[tuple[str, str, int | None], tuple[int, str]] = Memory(epoch, units)
        self._cache: OrderedDict[tuple[str, int], ServedConfig] = OrderedDict()
        self._bytes = 0
        self._bytes_max = cache_bytes_max

    async def serve(self, ctx: Context, agent_id: str, version: int | None = None) -> ServedConfig:
        """The promoted config, or that of `version`, which API keys may ask for only while it is promoted.

        Raises: AgentNotFound, VersionNotFound, Forbidden.
        """
        promoted, config_hash = await self._head(ctx, agent_id, version)
        number = promoted if version is None else version
        if number != promoted and not ctx.principal.has_scope(READ_SCOPE):
            raise Forbidden("a key sees the promoted config only", required_scope=READ_SCOPE)
        served = self._cache.get((agent_id, number))
        if served is None:
            served = await self._load(ctx, agent_id, number, config_hash)
        else:
            self._cache.move_to_end((agent_id, number))
        return served

    async def _head(self, ctx: Context, agent_id: str, version: int | None) -> tuple[int, str]:
        async def read(unit: UnitOfWork) -> tuple[int, str]:
            at = replace(ctx, uow=unit)
            known = await versions.head(at, agent_id, version)
            if known is None:
                raise await self._missing(at, agent_id, version)
            number = known[0] if version is None else version
            if (agent_id, number) not in self._cache:  # here, so that those who share this reading share the loading
                await self._load(at, agent_id, number, known[1])
            return known

        workspace_id = ctx.workspace_id
        key = (workspace_id, agent_id, version)
        return await self._heads.recall(key, ctx.clock, read, unit=ctx.uow, workspace_id=workspace_id)

    async def _missing(self, ctx: Context, agent_id: str, version: int | None) -> Exception:
        if version is None or await agents.get(ctx, agent_id) is None:
            return AgentNotFound()
        if not ctx.principal.has_scope(READ_SCOPE):
            return Forbidden("a key sees the promoted config only", required_scope=READ_SCOPE)
        return VersionNotFound(f"the agent has no version {version}")

    async def _load(self, ctx: Context, agent_id: str, number: int, config_hash: str) -> ServedConfig:
        found = await versions.get(ctx, agent_id, number)
        if found is None:
            raise VersionNotFound
        tag = etag_of(number, config_hash)
        document = {
            "agent_id": agent_id,
            "version": number,
            "config_hash": config_hash,
            "etag": f'"{tag}"',
            "config": found.config,
        }
        served = ServedConfig(tag, json.dumps(document))
        self._keep((agent_id, number), served)
        return served

    def _keep(self, key: tuple[str, int], served: ServedConfig) -> None:
        old = self._cache.pop(key, None)
        self._bytes += len(served.body) - (len(old.body) if old is not None else 0)
        self._cache[key] = served
        while self._bytes > self._bytes_max and len(self._cache) > 1:
            _, dropped = self._cache.popitem(last=False)
            self._bytes -= len(dropped.body)
