"""Pages of agents: the list, making one, what it serves, versions and their differences, promoting, one run by hand."""

from __future__ import annotations

from typing import Annotated, Any, cast

from fastapi import Depends
from starlette.responses import Response

from specloop.app.web import diff
from specloop.app.web.frame import Frame, FrameHere, Posted, page_router, parsed, refused
from specloop.app.web.shell import Form
from specloop.app.web.workspaces import check_typed
from specloop.db.context import Context
from specloop.db.paging import LIMIT_MAX, PageRequest
from specloop.errors import SpecloopError, ValidationFailed
from specloop.kit import json
from specloop.run import agents
from specloop.run.agents import Agent, AgentConfigVersion, AgentOrigin, AgentRunner, AgentStatus, RunResult
from specloop.run.agents.schema.agents import AgentCreate
from specloop.run.agents.schema.configs import ConfigPut, PromoteBody, RunBody
from specloop.transport.guard import requires
from specloop.transport.routing import Ctx, door_of, provided

router = page_router()
PREFIX = "/app/w/{workspace_id}/agents"
Runner = Annotated[AgentRunner, Depends(provided(AgentRunner))]
VERSIONS = PageRequest(limit=LIMIT_MAX)
RUNTIME_EXAMPLE = '{"kind": "embedded", "name": "tool-router"}'
CONFIG_EXAMPLE = """{
  "prompt": {"base": "Choose the tool that answers the request.", "cot": "none"},
  "few_shot": [],
  "tools": [
    {"name": "find_movies", "description": "Search movies by director, cast and genre.", "enabled": true}
  ],
  "params": {"threshold": 0.3}
}"""
INPUT_EXAMPLE = """{
  "request": "Which comedies star Steve Carell?",
  "tools": [{"name": "find_movies", "description": "Search movies by director, cast and genre."}]
}"""
_PARTS = (("prompt", "Prompt"), ("few_shot", "Examples"), ("tools", "Tools"), ("params", "Parameters"))


@router.get(PREFIX)
@requires("read:workspace")
async def show_agents(ctx: Ctx, frame: FrameHere, workspace_id: str) -> Response:
    """The agents of a workspace."""
    query = frame.query("status", "origin")
    status = AgentStatus(query["status"]) if query.get("status") in set(AgentStatus) else None
    origin = AgentOrigin(query["origin"]) if query.get("origin") in set(AgentOrigin) else None
    found = await agents.list_agents(ctx, status, origin, frame.page_request())
    rows = [one.agent for one in found.results]
    page = {"results": rows, "total": found.total, "limit": found.limit, "offset": found.offset}
    return frame.page("agents", agents=page, query=query)


@router.get(PREFIX + "/new")
@requires("write:workspace")
async def show_new_agent(ctx: Ctx, frame: FrameHere, workspace_id: str) -> Response:
    """The form that makes an agent."""
    return _new_page(frame, Form())


def _new_page(frame: Frame, form: Form, status: int = 200) -> Response:
    return frame.page(
        "agent_new", status=status, form=form, runtime_example=RUNTIME_EXAMPLE, config_example=CONFIG_EXAMPLE
    )


@router.post(PREFIX)
@requires("write:workspace")
async def create_agent(ctx: Ctx, frame: FrameHere, workspace_id: str, posted: Posted) -> Response:
    """Makes an agent; its configuration becomes version 1."""
    try:
        values: dict[str, Any] = {name: value for name, value in posted.items() if value}
        for name in ("runtime", "config"):
            values[name] = _json_object(posted, name)
        made = await agents.create(ctx, parsed(AgentCreate, values).to_model())
    except SpecloopError as error:
        return _new_page(frame, await refused(ctx, error, posted), error.status)
    return frame.go(f"{frame.shell.base}/agents/{made.agent.id}", "Agent made. Version 1 is served.")


def _json_object(posted: dict[str, str], name: str) -> dict[str, Any]:
    """The JSON object of a text field.

    Raises: ValidationFailed.
    """
    try:
        value: Any = json.loads(posted.get(name, ""))
    except ValueError as error:
        raise ValidationFailed.of(["body", name], f"this is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ValidationFailed.of(["body", name], "a JSON object is needed, { … }")
    return cast("dict[str, Any]", value)


@router.get(PREFIX + "/{agent_id}")
@requires("read:workspace")
async def show_agent(ctx: Ctx, frame: FrameHere, workspace_id: str, agent_id: str) -> Response:
    """One version of its configuration, by default the one that is served."""
    served = await agents.read(ctx, agent_id.lower())
    wanted = frame.request.query_params.get("version", "")
    version = served.config
    if wanted.isdecimal() and int(wanted) < 2**31:
        _, version = await agents.read_version(ctx, served.agent.id, int(wanted))
    return _page(frame, served.agent, "config", version=version, parts=parts_of(version.config))


def _page(frame: Frame, agent: Agent, tab: str, *, status: int = 200, **values: Any) -> Response:
    return frame.page("agent", status=status, agent=agent, tab=tab, **values)


def parts_of(config: dict[str, Any]) -> list[dict[str, Any]]:
    """The configuration in the parts that people speak of; flat ones as pairs, the rest as text."""
    named = [(title, config[key]) for key, title in _PARTS if config.get(key)]
    known = {key for key, _ in _PARTS}
    rest = {key: value for key, value in config.items() if key not in known and value not in (None, [], {})}
    if rest:
        named.append(("More", rest))
    return [_part(title, value) for title, value in named]


def _part(title: str, value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        pairs = cast("dict[str, Any]", value)
        if all(not isinstance(one, dict | list) for one in pairs.values()):
            return {"name": title, "pairs": [(key, diff.as_text(one)) for key, one in pairs.items()], "text": ""}
    return {"name": title, "pairs": None, "text": diff.as_text(value)}


@router.get(PREFIX + "/{agent_id}/versions")
@requires("read:workspace")
async def show_versions(ctx: Ctx, frame: FrameHere, workspace_id: str, agent_id: str) -> Response:
    """The history, to compare any two."""
    agent, found = await agents.list_versions(ctx, agent_id.lower(), None, VERSIONS)
    before, after = _default_pair(agent)
    return _page(frame, agent, "versions", versions=found.results, compare_from=before, compare_to=after)


def _default_pair(agent: Agent) -> tuple[int, int]:
    """The served version against the newest; the one before it when the newest is served."""
    if agent.latest_version > agent.promoted_version:
        return agent.promoted_version, agent.latest_version
    return max(1, agent.promoted_version - 1), agent.promoted_version


@router.get(PREFIX + "/{agent_id}/diff")
@requires("read:workspace")
async def show_diff(ctx: Ctx, frame: FrameHere, workspace_id: str, agent_id: str) -> Response:
    """What two versions differ in, place by place."""
    agent = await agents.find(ctx, agent_id.lower())
    numbers = [frame.request.query_params.get(name, "") for name in ("from", "to")]
    fallback = _default_pair(agent)
    before, after = (
        int(text) if text.isdecimal() and int(text) < 2**31 else usual
        for text, usual in zip(numbers, fallback, strict=True)
    )
    compared = await agents.compare(ctx, agent.id, before, after)
    changes = [
        {"pointer": edit.pointer, "op": edit.op, "rows": diff.rows_between(edit.before, edit.after)}
        for edit in compared.edits
    ]
    return _page(frame, agent, "diff", changes=changes, compare_from=before, compare_to=after)


@router.post(PREFIX + "/{agent_id}/promote")
@requires("approve:agents")
async def promote(ctx: Ctx, frame: FrameHere, workspace_id: str, agent_id: str, posted: Posted) -> Response:
    """Serves another version from the next call on."""
    here = f"{frame.shell.base}/agents/{agent_id}"
    try:
        number = parsed(PromoteBody, {"version": posted.get("version", "")}).version
        await agents.promote(ctx, agent_id.lower(), number)
    except SpecloopError as error:
        form = await refused(ctx, error, posted)
        return frame.go(f"{here}/versions", form.problem or error.detail, is_bad=True)
    return frame.go(here, f"Version {number} is served now.")


@router.get(PREFIX + "/{agent_id}/run")
@requires("read:workspace")
async def show_run(ctx: Ctx, frame: FrameHere, workspace_id: str, agent_id: str) -> Response:
    """The box for one run by hand."""
    return _run_page(frame, await agents.find(ctx, agent_id.lower()), Form())


def _run_page(frame: Frame, agent: Agent, form: Form, result: RunResult | None = None, status: int = 200) -> Response:
    numbers = sorted({agent.promoted_version, agent.latest_version, *agent.candidate_versions[-10:]})
    options = [(str(n), f"{n} (served)" if n == agent.promoted_version else str(n)) for n in numbers]
    run = None
    if result is not None:
        run = {
            "status": "error" if result.output.error else "ok",
            "output": result.output.value if not result.output.error else result.output.error,
            "latency_ms": result.latency_ms,
            "trace_id": result.trace_id,
        }
    return _page(
        frame,
        agent,
        "run",
        status=status,
        form=form,
        run=run,
        version_options=options,
        input_example=INPUT_EXAMPLE,
    )


@router.post(PREFIX + "/{agent_id}/run")
@requires("write:workspace")
async def run_agent(
    ctx: Ctx, frame: FrameHere, runner: Runner, workspace_id: str, agent_id: str, posted: Posted
) -> Response:
    """Runs once and shows the answer."""
    agent = await agents.find(ctx, agent_id.lower())
    await ctx.uow.rollback()  # a run may take long and writes nothing here: it must not hold the only writer
    try:
        text = posted.get("input", "").strip()
        wanted = {"input": text} if not text.startswith("{") else _json_object(posted, "input")
        body = parsed(RunBody, {"input": wanted, "version": posted.get("version") or None})
        async with door_of(frame.request).database.reading(ctx.workspace_id) as unit:
            reading = Context(ctx.principal, unit, ctx.clock, ctx.request)
            plan = await runner.plan(reading, agent.id, body.version, body.input)
        result = await runner.run(plan, body.input)
    except SpecloopError as error:
        return _run_page(frame, agent, await refused(ctx, error, posted), status=error.status)
    return _run_page(frame, agent, Form(values=posted), result)


@router.get(PREFIX + "/{agent_id}/edit")
@requires("write:workspace")
async def show_edit(ctx: Ctx, frame: FrameHere, workspace_id: str, agent_id: str) -> Response:
    """The newest configuration, to make the next one from."""
    return await _edit_page(ctx, frame, agent_id, Form())


async def _edit_page(ctx: Context, frame: Frame, agent_id: str, form: Form, status: int = 200) -> Response:
    agent = await agents.find(ctx, agent_id.lower())
    version: AgentConfigVersion
    _, version = await agents.read_version(ctx, agent.id, agent.latest_version)
    return _page(frame, agent, "edit", status=status, version=version, form=form)


@router.post(PREFIX + "/{agent_id}/config")
@requires("write:workspace")
async def write_config(ctx: Ctx, frame: FrameHere, workspace_id: str, agent_id: str, posted: Posted) -> Response:
    """Saves a new version; it is not served until somebody promotes it."""
    try:
        body = parsed(ConfigPut, {"config": _json_object(posted, "config"), "note": posted.get("note", "")})
        made = await agents.write_config(ctx, agent_id.lower(), body.config, body.note, _any_version)
    except SpecloopError as error:
        return await _edit_page(ctx, frame, agent_id, await refused(ctx, error, posted), error.status)
    here = f"{frame.shell.base}/agents/{agent_id}"
    return frame.go(f"{here}/diff?to={made.version}", f"Version {made.version} is saved. It is not served yet.")


@router.post(PREFIX + "/{agent_id}/archive")
@requires("admin:workspace")
async def archive(ctx: Ctx, frame: FrameHere, workspace_id: str, agent_id: str, posted: Posted) -> Response:
    """Takes an agent out of use, once its name was typed."""
    here = f"{frame.shell.base}/agents/{agent_id}"
    try:
        check_typed(posted, (await agents.find(ctx, agent_id.lower())).name)
        await agents.archive(ctx, agent_id.lower(), _any_version)
    except SpecloopError as error:
        form = await refused(ctx, error, posted)
        return frame.go(here, form.problem or error.detail, is_bad=True)
    return frame.go(here, "Agent archived.")


def _any_version(_: str | int) -> None:
    """Pages change what they show at once; there is no older version to protect."""
