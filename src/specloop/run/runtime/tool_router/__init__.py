"""The embedded tool-router runtime: a lexical router with abstention (spectral.md §2.6.1)."""

from specloop.run.runtime.tool_router.router import COMPONENTS, RUNTIME, ToolRouter, hint_key

__all__ = ["COMPONENTS", "RUNTIME", "ToolRouter", "hint_key"]
