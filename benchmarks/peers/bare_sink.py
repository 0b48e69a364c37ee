"""The least that a server can do and still answer for the data: decode a body, commit it to SQLite, say 200.

Runs under Granian in an environment of its own, and may know nothing of Specloop.
"""

# pyright: basic, reportMissingImports=false

from __future__ import annotations

import os
import sqlite3

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

connection = sqlite3.connect(os.environ["BARE_SINK_FILE"], check_same_thread=False, isolation_level=None)
connection.executescript(
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE IF NOT EXISTS bodies (spans INTEGER, body BLOB)"
)


async def app(scope, protocol):
    """RSGI: any path but `/ready` is a request of OTLP."""
    if scope.path == "/ready":
        protocol.response_empty(200, [])
        return
    body = await protocol()
    request = ExportTraceServiceRequest.FromString(body)
    spans = sum(len(scopes.spans) for group in request.resource_spans for scopes in group.scope_spans)
    connection.execute("INSERT INTO bodies VALUES (?, ?)", (spans, body))
    protocol.response_empty(200, [])
