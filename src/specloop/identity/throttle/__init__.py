"""Slows down guessing: counts failures by account and by address, in memory or in Redis."""
