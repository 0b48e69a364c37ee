// OpenTelemetry's JavaScript exporters, JSON and protobuf, plain and gzip, one trace of two spans each.
import { context, trace } from "@opentelemetry/api";
import { OTLPTraceExporter as JSONExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtoExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";

const text = (role, content) => JSON.stringify([{ role, parts: [{ type: "text", content }] }]);
const tell = (span, parent, name) => {
  const { traceId, spanId } = span.spanContext();
  console.log("span", traceId, spanId, parent, name);
  return spanId;
};

for (const Exporter of [JSONExporter, ProtoExporter]) {
  for (const compression of ["none", "gzip"]) {
    const provider = new TracerProvider({ spanProcessors: [new BatchSpanProcessor({ exporter: new Exporter({ compression }) })] });
    const tracer = provider.getTracer("external");
    const root = tracer.startSpan(`question ${compression}`);
    const rootId = tell(root, "-", `question ${compression}`);
    const chat = tracer.startSpan("chat gpt-4o-mini", {}, trace.setSpan(context.active(), root));
    chat.setAttributes({
      "gen_ai.operation.name": "chat",
      "gen_ai.request.model": "gpt-4o-mini",
      "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
      "gen_ai.usage.input_tokens": 41,
      "gen_ai.usage.output_tokens": 7,
      "gen_ai.request.temperature": 0.5,
      "gen_ai.response.finish_reasons": ["stop"],
      "gen_ai.input.messages": text("user", "How warm is it in Ghent?"),
      "gen_ai.output.messages": text("assistant", "It is nineteen degrees in Ghent."),
    });
    tell(chat, rootId, "chat gpt-4o-mini");
    chat.end();
    root.end();
    await provider.shutdown();
  }
}
