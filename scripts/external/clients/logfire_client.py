"""Logfire's own instrumentation of the OpenAI client, exporting by the standard variables alone."""

# pyright: basic, reportMissingImports=false

from __future__ import annotations

import logfire
from asking import Recorder, ask

logfire.configure(send_to_logfire=False, console=False, additional_span_processors=[Recorder()], metrics=False)
logfire.instrument_openai()
with logfire.span("weather question"):
    ask()
logfire.shutdown()
