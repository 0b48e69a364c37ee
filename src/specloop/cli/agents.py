"""`specloop agents`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from specloop.cli.keys import Workspace
from specloop.cli.output import AsJSON, print_json, say, show_document, show_item, show_rows
from specloop.cli.session import Session
from specloop.errors import BadRequest
from specloop.kit import json

app = typer.Typer(help="Agents and the versions of their configuration.", no_args_is_help=True)


def read_json_file(path: Path) -> Any:
    """The JSON of a file, or of standard input for `-`.

    Raises: BadRequest when there is no such file or it is not JSON.
    """
    try:
        return json.loads(typer.get_binary_stream("stdin").read() if str(path) == "-" else path.read_bytes())
    except OSError as error:
        raise BadRequest(f"{path}: {error.strerror}") from None
    except json.JSONDecodeError as error:
        raise BadRequest(f"{path} is not JSON: {error}") from None


@app.command("list")
def list_agents(workspace: Workspace = None, as_json: AsJSON = False) -> None:
    """Agents of the workspace."""
    session = Session.current(workspace)
    columns = ("id", "name", "status", "origin", "promoted_version", "updated_at")
    rows = list(session.pages(f"{session.workspace}/agents"))
    show_rows(rows, columns, as_json=as_json, empty="No agent yet: `specloop agents create FILE` makes one.")


@app.command("create")
def create_agent(
    file: Annotated[Path, typer.Argument(help="JSON with name, runtime and config; - for standard input.")],
    workspace: Workspace = None,
    as_json: AsJSON = False,
) -> None:
    """Make an agent; its first version is promoted."""
    session = Session.current(workspace)
    agent = session.post(f"{session.workspace}/agents", read_json_file(file))
    show_item(agent, ("id", "name", "promoted_version"), as_json=as_json)


@app.command("show")
def show_agent(agent_id: str, workspace: Workspace = None, as_json: AsJSON = False) -> None:
    """One agent."""
    session = Session.current(workspace)
    show_item(session.get(f"{session.workspace}/agents/{agent_id}"), as_json=as_json)


@app.command("config")
def show_config(
    agent_id: str,
    version: Annotated[int | None, typer.Option(help="Default: the promoted version.")] = None,
    workspace: Workspace = None,
    as_json: AsJSON = False,
) -> None:
    """The configuration, as JSON."""
    session = Session.current(workspace)
    answer = session.get(f"{session.workspace}/agents/{agent_id}/config", version=version)
    show_document(answer, as_json=as_json)


@app.command("versions")
def list_versions(agent_id: str, workspace: Workspace = None, as_json: AsJSON = False) -> None:
    """Versions of the configuration."""
    session = Session.current(workspace)
    rows = list(session.pages(f"{session.workspace}/agents/{agent_id}/versions"))
    columns = ("version", "source", "config_hash", "note", "created_at")
    show_rows(rows, columns, as_json=as_json, empty="No version.")


@app.command("diff")
def show_diff(
    agent_id: str,
    from_version: Annotated[int, typer.Argument(metavar="FROM")],
    to_version: Annotated[int, typer.Argument(metavar="TO")],
    workspace: Workspace = None,
    as_json: AsJSON = False,
) -> None:
    """What changed between two versions."""
    session = Session.current(workspace)
    path = f"{session.workspace}/agents/{agent_id}/diff"
    answer = session.get(path, **{"from": from_version, "to": to_version})
    if as_json:
        print_json(answer)
        return
    columns = ("op", "pointer", "before", "after")
    show_rows(answer["edits"], columns, as_json=False, empty="The versions are the same.")


@app.command("promote")
def promote_version(agent_id: str, version: int, workspace: Workspace = None, as_json: AsJSON = False) -> None:
    """Serve a version from now on."""
    session = Session.current(workspace)
    agent = session.post(f"{session.workspace}/agents/{agent_id}/promote", {"version": version})
    if as_json:
        print_json(agent)
    else:
        say(f"Version {version} is promoted.")


@app.command("run")
def run_agent(
    agent_id: str,
    input_file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON input; - for standard input.")],
    version: Annotated[int | None, typer.Option(help="Default: the promoted version.")] = None,
    workspace: Workspace = None,
    as_json: AsJSON = False,
) -> None:
    """Call the agent once and print its output as JSON."""
    session = Session.current(workspace)
    body = {"input": read_json_file(input_file), **({"version": version} if version else {})}
    show_document(session.post(f"{session.workspace}/agents/{agent_id}/run", body), as_json=as_json)
