"""What proves who one is between requests: signed access tokens, rotating refresh tokens, one-time tokens."""
