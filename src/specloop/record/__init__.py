"""The record stage: sessions of coding agents and traces of every agent call."""
