"""Specloop."""
