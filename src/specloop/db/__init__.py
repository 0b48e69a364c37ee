"""The stores: relational state, telemetry, blobs. Nothing here knows what the rows mean."""
