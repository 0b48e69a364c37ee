"""Alembic asks for this file; migrations are run by `specloop.db.migrations.migrate`, not by its command line."""
