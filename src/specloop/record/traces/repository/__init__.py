"""All SQL of this domain: the inbox in the state store, spans and traces in the telemetry store."""
