"""Sign-in through other identity providers (OpenID Connect), by configuration."""
