"""How figures over time are shown: the period of an address, sheets of rows, column charts. Pure; no services."""
