"""Phoenix's `register` with OpenInference's instrumentation of the OpenAI client, by the standard variables."""

# pyright: basic, reportMissingImports=false

from __future__ import annotations

from asking import Recorder, ask
from phoenix.otel import register

provider = register(protocol="http/protobuf", auto_instrument=True, batch=True, verbose=False)
provider.add_span_processor(Recorder(), replace_default_processor=False)
provider.get_tracer("weather").chain(name="weather question")(ask)()
provider.shutdown()
