"""From an OTLP request body to durable rows: decode, validate, journal, drain. No Python runs per attribute."""
