"""Makes sure that the browser tests have a browser: finds one, or installs Debian's where that is allowed.

Says plainly when there is none, so that nobody takes an unrun test for a passed one; under CI that is an error.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def find_browser() -> str | None:
    """The path of a Chromium-like browser."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def install_browser() -> None:
    """Install Debian's package when we are root on a Debian-like system."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "chromium"]):
        subprocess.run(["apt-get", *arguments], env=environment, check=False, stdout=subprocess.DEVNULL)


def main() -> int:
    """0 when there is a browser, or when its absence was only said."""
    if find_browser() is None:
        install_browser()
    found = find_browser()
    if found is not None:
        print(f"browser tests use {found}")
        return 0
    print("NO BROWSER: the tests of the pages cannot run. Install Chromium, for example: apt-get install chromium")
    return 1 if os.environ.get("CI") else 0


if __name__ == "__main__":
    sys.exit(main())
