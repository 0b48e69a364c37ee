"""Finds a Chromium-like browser on the machine. Browser tests fail, and say so, when there is none."""

from __future__ import annotations

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
MISSING = (
    "No browser was found, so the pages could not be tested. Install one (Debian, Ubuntu: `apt-get install chromium`), "
    "or name it in SPECLOOP_TEST_BROWSER."
)


def find_browser() -> str | None:
    """The path of a browser that Playwright can drive, or None."""
    named = os.environ.get("SPECLOOP_TEST_BROWSER")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)
