"""Equal seeds give equal bytes in other processes too, whatever Python salts its hashes with."""

import hashlib
import os
import subprocess
import sys
from dataclasses import asdict, replace

from specloop.improve.scans.problem import Budget
from specloop.improve.scans.search.engine import run_search
from specloop.kit.json import canonical
from specloop.testing.datasets.b1 import build_b1


def digest() -> str:
    """A hash of candidates, scores, edits and clusters of a short scan."""
    result = run_search(build_b1().problem, Budget(max_evaluations=5_000), 5)
    return hashlib.sha256(canonical(asdict(replace(result, checkpoint={})))).hexdigest()


def test_two_processes_with_different_hash_seeds_find_the_same() -> None:
    children = [
        subprocess.Popen(
            [sys.executable, __file__], env={**os.environ, "PYTHONHASHSEED": salt}, stdout=subprocess.PIPE, text=True
        )
        for salt in ("1", "2")
    ]
    found = [child.communicate(timeout=300)[0].strip() for child in children]
    assert [child.returncode for child in children] == [0, 0]
    assert len(found[0]) == 64
    assert found[0] == found[1]


if __name__ == "__main__":
    print(digest())
