"""`make check-external`: suites that others wrote, against a really started server. No failure is known and excused.

Each suite is one function that returns whether it found nothing wrong. Python suites run in their own environment,
because their pins differ from ours; npm packages are installed by exact version into a scratch folder.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[1]
SCRATCH = ROOT / "build" / "external"
NPM = {
    "@redocly/cli": "2.77.0",
    "@stoplight/spectral-cli": "6.16.3",
    "@stoplight/spectral-owasp-ruleset": "2.0.1",
    "graphql": "16.11.0",
    "graphql-http": "1.23.1",
}
GRAPHQL_AUDIT = """
import { serverAudits } from "graphql-http";
const [url, token] = process.argv.slice(2);
const headers = { authorization: `Bearer ${token}` };
const fetchFn = (to, options = {}) => fetch(to, { ...options, headers: { ...headers, ...options.headers } });
const results = [];
for (const audit of serverAudits({ url, fetchFn })) results.push(await audit.fn());
const bad = results.filter((one) => one.status !== "ok");
for (const one of bad) console.log(one.status, one.id, one.name, one.reason);
console.log(`${results.length - bad.length} of ${results.length} audits pass`);
process.exit(bad.length || results.length < 61 ? 1 : 0);
"""
EXPORTER = """
import sys
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
endpoint, key = sys.argv[1:]
for compression in (Compression.NoCompression, Compression.Gzip):
    exporter = OTLPSpanExporter(endpoint, headers={"authorization": f"Bearer {key}"}, compression=compression)
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("external").start_as_current_span(f"chat {compression.value}") as span:
        span.set_attribute("gen_ai.request.model", "model-x")
    print(format(span.get_span_context().trace_id, "032x"))
    provider.shutdown()
"""


@dataclass(frozen=True, slots=True)
class Target:
    """The started server and credentials for it."""

    url: str
    token: str
    key: str
    workspace_id: str
    document: Path
    certificate: Path


def python() -> Path:
    """The interpreter of the suites' own environment, made when missing or stale."""
    home = SCRATCH / "venv"
    stamp, lock = home / ".lock", ROOT / "requirements-external.lock"
    if not stamp.exists() or stamp.read_bytes() != lock.read_bytes():
        uv = str(ROOT / ".venv" / "bin" / "uv")
        subprocess.run([uv, "venv", "-q", "--clear", str(home)], check=True)
        subprocess.run([uv, "pip", "install", "-q", "-p", str(home), "--require-hashes", "-r", str(lock)], check=True)
        stamp.write_bytes(lock.read_bytes())
    return home / "bin" / "python"


def node_folder() -> Path:
    """Where the npm packages are, installed when one is missing."""
    folder = SCRATCH / "node"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [f"{package}@{version}" for package, version in NPM.items()]
    if not all((folder / "node_modules" / package).exists() for package in NPM):
        command = [
            "npm",
            "install",
            "--silent",
            "--no-save",
            "--no-audit",
            "--no-fund",
            "--package-lock=false",
            *wanted,
        ]
        subprocess.run(command, cwd=folder, check=True)
    return folder


def node_tool(name: str) -> Path:
    """The path of an npm tool."""
    return node_folder() / "node_modules" / ".bin" / name


def run(*command: str | Path, cwd: Path = SCRATCH, **environment: str) -> bool:
    """Run a suite; its output is shown only when it fails."""
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    if result.returncode != 0:
        print((result.stdout + result.stderr)[-8000:])
    return result.returncode == 0


def validate_document(target: Target) -> bool:
    """openapi-spec-validator."""
    return run(python(), "-m", "openapi_spec_validator", target.document)


def lint_with_redocly(target: Target) -> bool:
    """Redocly, strict, with problem details for client errors."""
    config = SCRATCH / "redocly.yaml"
    config.write_text(
        # The contract itself has literals beside parameters (`agents/templates`, `agents/{agent_id}`).
        "extends: [recommended-strict]\nrules:\n  operation-4xx-problem-details-rfc7807: error\n"
        "  no-ambiguous-paths: off\n",
        "utf-8",
    )
    document = json.loads(target.document.read_bytes())
    # OTLP answers failures with google.rpc.Status, as its specification says, so it is judged by exporters instead.
    document["paths"] = {path: item for path, item in document["paths"].items() if path != "/otel/v1/traces"}
    problems = SCRATCH / "openapi-problems.json"
    problems.write_text(json.dumps(document, indent=1), "utf-8")
    return run(node_tool("redocly"), "lint", problems, "--config", config)


def lint_with_spectral_owasp(target: Target) -> bool:
    """The OWASP API security ruleset."""
    ruleset = SCRATCH / "node" / "ruleset.yaml"
    tool = node_tool("spectral")
    ruleset.write_text(
        'extends: ["@stoplight/spectral-owasp-ruleset"]\n'
        # The contract names its public routes, which ask for no credential; a test pins that there are no others.
        "rules:\n  owasp:api2:2023-read-restricted: off\n  owasp:api2:2023-write-restricted: off\n"
        "  owasp:api8:2023-define-error-responses-401: off\n",
        "utf-8",
    )
    return run(tool, "lint", target.document, "--ruleset", ruleset, "--fail-severity", "warn", cwd=SCRATCH / "node")


def fuzz_with_schemathesis(target: Target) -> bool:
    """schemathesis, all checks, with a signed-in user."""
    return run(
        python().parent / "schemathesis",
        "--config-file",
        ROOT / "schemathesis.toml",
        "run",
        f"{target.url}/openapi.json",
        "-c",
        "all",
        "-n",
        os.environ.get("EXAMPLES", "100"),
        "-H",
        f"Authorization: Bearer {target.token}",
        "--exclude-path-regex",
        "auth/(logout|me/password|sessions)|account/delete",
        "--generation-deterministic",
    )


def audit_graphql(target: Target) -> bool:
    """The graphql-http audit: every MUST, SHOULD and MAY of GraphQL over HTTP."""
    script = node_folder() / "audit.mjs"
    script.write_text(GRAPHQL_AUDIT, "utf-8")
    return run("node", script, f"{target.url}/api/v1/graphql", target.token, cwd=script.parent)


def fuzz_graphql(target: Target) -> bool:
    """schemathesis on the GraphQL schema, all checks, with a signed-in user."""
    return run(
        python().parent / "schemathesis",
        "run",
        f"{target.url}/api/v1/graphql",
        "-c",
        "all",
        "-n",
        os.environ.get("EXAMPLES", "100"),
        "-H",
        f"Authorization: Bearer {target.token}",
        "--generation-deterministic",
        SCHEMATHESIS_HOOKS=str(ROOT / "scripts" / "graphql_cases.py"),
    )


def scan_tls(target: Target) -> bool:
    """sslyze against Mozilla's modern profile, with the server's own certificate as the authority."""
    authority = f"--certinfo_ca_file={target.certificate}"
    return run(python(), "-m", "sslyze", "--mozilla_config=modern", authority, target.url.removeprefix("http://"))


def export_spans(target: Target) -> bool:
    """The OpenTelemetry Python exporter, plain and gzip: each span arrives once."""
    script = SCRATCH / "exporter.py"
    script.write_text(EXPORTER, "utf-8")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("SSL_CERT", "REQUESTS_CA"))
    }
    done = subprocess.run(
        [str(python()), str(script), f"{target.url}/otel/v1/traces", target.key],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    ids = done.stdout.split()
    with httpx.Client(base_url=target.url, headers={"authorization": f"Bearer {target.token}"}) as client:
        return len(ids) == 2 and all(_arrives_once(client, target.workspace_id, trace_id) for trace_id in ids)


def _arrives_once(client: httpx.Client, workspace_id: str, trace_id: str) -> bool:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        answer = client.get(f"/api/v1/workspaces/{workspace_id}/traces/{trace_id}")
        if answer.status_code == 200:
            return answer.json()["span_count"] == 1
        time.sleep(0.2)
    return False


SUITES: tuple[Callable[[Target], bool], ...] = (
    validate_document,
    lint_with_redocly,
    lint_with_spectral_owasp,
    scan_tls,
    export_spans,
    audit_graphql,
    fuzz_graphql,
    fuzz_with_schemathesis,
)


def prepare(url: str, data: Path) -> Target:
    """Register and make a key."""
    with httpx.Client(base_url=url, timeout=30) as client:
        body = {"email": "external@test.com", "password": "external-checks", "tenant_name": "External"}
        account = client.post("/api/v1/auth/register", json=body).raise_for_status().json()
        client.headers["authorization"] = f"Bearer {account['access_token']}"
        workspace = account["workspace_id"]
        key = client.post(f"/api/v1/workspaces/{workspace}/keys", json={"name": "external"}).raise_for_status().json()
        document = SCRATCH / "openapi.json"
        document.write_text(json.dumps(client.get("/openapi.json").json(), indent=1), "utf-8")
    return Target(url, account["access_token"], key["key"], workspace, document, data / "tls" / "server.crt")


def main() -> int:
    """Run all suites, or those whose name contains an argument."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    sys.path.insert(0, str(ROOT))
    from tests.server import started_server  # noqa: PLC0415  (needs the path above)

    failed: list[str] = []
    with (
        tempfile.TemporaryDirectory() as data,
        started_server(Path(data), SPECLOOP_RATE_USER_PER_MINUTE="1000000") as url,
    ):
        target = prepare(url, Path(data))
        for suite in SUITES:
            if sys.argv[1:] and not any(word in suite.__name__ for word in sys.argv[1:]):
                continue
            is_clean = suite(target)
            print(f"{'pass' if is_clean else 'FAIL'}  {(suite.__doc__ or '').strip()}", flush=True)
            if not is_clean:
                failed.append(suite.__name__)
    print(f"{len(failed)} of {len(SUITES)} suites failed" if failed else "all suites pass")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
