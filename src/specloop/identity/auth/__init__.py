"""Signing in and out: registration, passwords, sessions, providers, and the cookies of the pages."""
