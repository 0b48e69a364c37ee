"""`make check-external`: suites that others wrote, against a really started server. No failure is known and excused.

Each suite is one function that returns whether it found nothing wrong. Python suites run in their own environment,
because their pins differ from ours; npm packages are installed by exact version into a scratch folder.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from external import otlp
from external.ground import ROOT, SCRATCH, CannotRun, Target, npm_folder, python, run

NPM = {
    "@redocly/cli": "2.77.0",
    "@stoplight/spectral-cli": "6.16.3",
    "@stoplight/spectral-owasp-ruleset": "2.0.1",
    "graphql": "16.11.0",
    "graphql-http": "1.23.1",
}
RECORD_DOCUMENT = "/api/v1/openapi"
NEVER_CALLED = "auth/(logout|me/password|sessions)|account/delete"
"""What would end the session that the suites run with."""

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


def node_folder() -> Path:
    """Where the npm packages are."""
    return npm_folder("node", NPM)


def node_tool(name: str) -> Path:
    """The path of an npm tool."""
    return node_folder() / "node_modules" / ".bin" / name


def validate_document(target: Target) -> bool:
    """openapi-spec-validator."""
    return run(python(), "-m", "openapi_spec_validator", target.document)


def lint_with_redocly(target: Target) -> bool:
    """Redocly, strict; with problem details for client errors where the dialect has them."""
    document = json.loads(target.document.read_bytes())
    # The record API answers failures with its envelope and OTLP with google.rpc.Status, as their contracts say.
    others = {*httpx.get(f"{target.url}{RECORD_DOCUMENT}", timeout=30).json()["paths"], "/otel/v1/traces"}
    problems = {**document, "paths": {path: item for path, item in document["paths"].items() if path not in others}}
    return all(
        [
            # The contract itself has literals beside parameters (`agents/templates`, `agents/{agent_id}`).
            _redocly("all", document, "extends: [recommended-strict]\nrules:\n  no-ambiguous-paths: off\n"),
            _redocly("problems", problems, "rules:\n  operation-4xx-problem-details-rfc7807: error\n"),
        ]
    )


def _redocly(name: str, document: Any, settings: str) -> bool:
    config, file = SCRATCH / f"redocly-{name}.yaml", SCRATCH / f"redocly-{name}.json"
    config.write_text(settings, "utf-8")
    file.write_text(json.dumps(document, indent=1), "utf-8")
    return run(node_tool("redocly"), "lint", file, "--config", config)


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
    """schemathesis on all but the record stage, all checks, with a signed-in user."""
    record = httpx.get(f"{target.url}{RECORD_DOCUMENT}", timeout=30).json()["paths"]
    return _fuzz_rest(target, "/openapi.json", f"{NEVER_CALLED}|^({'|'.join(re.escape(path) for path in record)})$")


def fuzz_record_with_schemathesis(target: Target) -> bool:
    """schemathesis on the record stage's own document, all checks, with a signed-in user."""
    # The contract has no 405: what it does not list is answered with 404 (specstory.md 1.0, unknown route).
    return _fuzz_rest(target, RECORD_DOCUMENT, NEVER_CALLED, "--exclude-checks", "unsupported_method")


def _fuzz_rest(target: Target, document: str, excluded: str, *options: str) -> bool:
    # Every check is on unless the settings say otherwise; naming them here would leave the settings of routes out.
    return run(
        python().parent / "schemathesis",
        "--config-file",
        ROOT / "schemathesis.toml",
        "run",
        f"{target.url}{document}",
        "-n",
        os.environ.get("EXAMPLES", "100"),
        "-H",
        f"Authorization: Bearer {target.token}",
        "--exclude-path-regex",
        excluded,
        "--generation-deterministic",
        *options,
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


SUITES: tuple[Callable[[Target], bool], ...] = (
    validate_document,
    lint_with_redocly,
    lint_with_spectral_owasp,
    scan_tls,
    *otlp.SUITES,
    audit_graphql,
    fuzz_graphql,
    fuzz_with_schemathesis,
    fuzz_record_with_schemathesis,
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


def has_passed(suite: Callable[[Target], bool], target: Target) -> bool:
    """Whether the suite ran and found nothing."""
    try:
        return suite(target)
    except CannotRun as error:
        print(f"could not run: {error}")
        return False


def main() -> int:
    """Run all suites, or those whose name contains an argument."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    sys.path.insert(0, str(ROOT))
    from tests.server import started_server  # noqa: PLC0415  (needs the path above)

    chosen = [one for one in SUITES if not sys.argv[1:] or any(word in one.__name__ for word in sys.argv[1:])]
    if not chosen:
        sys.exit(f"no suite has a name with {' or '.join(sys.argv[1:])}")
    failed: list[str] = []
    with (
        tempfile.TemporaryDirectory() as data,
        started_server(Path(data), SPECLOOP_RATE_USER_PER_MINUTE="1000000") as url,
    ):
        target = prepare(url, Path(data))
        for suite in chosen:
            is_clean = has_passed(suite, target)
            print(f"{'pass' if is_clean else 'FAIL'}  {(suite.__doc__ or '').strip()}", flush=True)
            if not is_clean:
                failed.append(suite.__name__)
    print(f"{len(failed)} of {len(chosen)} suites failed" if failed else f"all {len(chosen)} suites pass")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
