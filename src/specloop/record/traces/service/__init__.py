"""The use cases of traces: taking them in, reading them."""
