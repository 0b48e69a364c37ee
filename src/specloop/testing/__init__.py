"""Doubles for what lies outside Specloop, shipped so that extensions can be tested the way the product is."""
