"""Writes schemas/settings.json and docs/reference/settings.md from the settings class."""

from __future__ import annotations

import json
import sys
from typing import Any

from generated import settle
from specloop.settings import ENV_PREFIX, Settings


def main() -> int:
    """Generate both."""
    schema: dict[str, Any] = Settings.model_json_schema()
    lines = [
        "# Settings",
        "",
        "Flags win over the environment, the environment over `specloop.toml`, the file over the defaults.",
        "`specloop config show` prints each value with its source.",
        "",
        "| setting | environment | default | what it is |",
        "|---|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        default = schema["properties"][name].get("default", "")
        shown = f"`{json.dumps(default)}`" if default not in ("", None) else ""
        lines.append(f"| `{name}` | `{ENV_PREFIX}{name.upper()}` | {shown} | {field.description} |")
    return settle(
        {
            "schemas/settings.json": json.dumps(schema, indent=2, sort_keys=True) + "\n",
            "docs/reference/settings.md": "\n".join(lines) + "\n",
        }
    )


if __name__ == "__main__":
    sys.exit(main())
