"""Colours of code: Pygments, loaded when the first code is shown, writing classes and never styles.

What is too long to be coloured in time, or in no known language, stays plain.
"""

from __future__ import annotations

from functools import lru_cache
from html import escape
from importlib import import_module
from pathlib import PurePosixPath
from typing import Any, Final

LENGTH_MAX: Final = 20_000
PREFIX: Final = "h-"
_LANGUAGES: Final = {
    "py": "python", "pyi": "python", "js": "javascript", "mjs": "javascript", "cjs": "javascript", "jsx": "jsx",
    "ts": "typescript", "tsx": "tsx", "go": "go", "rs": "rust", "rb": "ruby", "java": "java", "kt": "kotlin",
    "swift": "swift", "c": "c", "h": "c", "cc": "cpp", "cpp": "cpp", "hpp": "cpp", "cs": "csharp", "php": "php",
    "sh": "bash", "bash": "bash", "zsh": "bash", "shell": "bash", "console": "console", "ps1": "powershell",
    "sql": "sql", "html": "html", "htm": "html", "css": "css", "scss": "scss", "json": "json", "jsonc": "json",
    "yml": "yaml", "yaml": "yaml", "toml": "toml", "ini": "ini", "xml": "xml", "svg": "xml", "md": "markdown",
    "dockerfile": "docker", "makefile": "make", "graphql": "graphql", "proto": "protobuf", "tf": "terraform",
    "lua": "lua", "r": "r", "scala": "scala", "ex": "elixir", "exs": "elixir", "hs": "haskell", "vue": "vue",
}  # fmt: skip


def language_of(path: str) -> str:
    """The language of a file by its name, "" when nobody knows."""
    name = PurePosixPath(path.replace("\\", "/")).name.lower()
    return _LANGUAGES.get(name.rpartition(".")[2], "")


def highlighted(code: str, language: str) -> str:
    """`code` as safe HTML, with classes on what means something."""
    wanted = _LANGUAGES.get(language.lower(), language.lower())
    lexer = _lexer(wanted) if wanted and len(code) <= LENGTH_MAX else None
    if lexer is None:
        return escape(code)
    # the lexers run regular expressions over hostile text: what they cannot do is left plain, never an error page
    try:
        return _tools().highlight(code, lexer, _formatter()).removesuffix("\n")
    except (ValueError, RecursionError):
        return escape(code)


@lru_cache(maxsize=24)
def _lexer(name: str) -> Any:
    if not name.isascii() or len(name) > 30 or name in {"text", "txt", "plain", "plaintext", "output"}:
        return None
    lexers = import_module("pygments.lexers")
    try:
        return lexers.get_lexer_by_name(name, stripnl=False, ensurenl=False)
    except import_module("pygments.util").ClassNotFound:
        return None


@lru_cache(maxsize=1)
def _formatter() -> Any:
    return import_module("pygments.formatters.html").HtmlFormatter(nowrap=True, classprefix=PREFIX)


def _tools() -> Any:
    return import_module("pygments")
