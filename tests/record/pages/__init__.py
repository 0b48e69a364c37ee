"""Pages of recorded sessions: pure parts alone, the pages through the front door of a started server."""
