"""CPU time until a hostile GraphQL document is refused, beside the largest one that passes, in the same process."""

from __future__ import annotations

import argparse
import statistics
import time

from specloop.app.graphql.documents import check_variables, operation_of, prepare
from specloop.app.graphql.schema import SCHEMA
from specloop.errors import SpecloopError
from tests.record.graphql.test_limits import HOSTILE, LARGEST

RUNS = 7
LIMIT_MS = 200.0


def checked_ms(query: str) -> float:
    """Milliseconds of this thread for one check, the median of `RUNS`. A space makes each a document of its own."""
    taken: list[float] = []
    for run in range(RUNS):
        started = time.thread_time()
        try:
            prepared = prepare(SCHEMA, query + " " * run)
            check_variables(SCHEMA, prepared, operation_of(prepared, None), {})
        except SpecloopError:
            pass
        taken.append((time.thread_time() - started) * 1_000)
    return statistics.median(taken)


def main() -> int:
    """Print a row per document, the slowest first; 0 when all are within the limit."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    rows = sorted(((checked_ms(query), name) for name, (query, _) in HOSTILE.items()), reverse=True)
    print(f"{'document':30} {'ms':>8}   (limit {LIMIT_MS:.0f})")
    print(f"{'the largest that passes':30} {checked_ms(LARGEST):8.1f}")
    for taken, name in rows:
        print(f"{name:30} {taken:8.1f}")
    return int(rows[0][0] > LIMIT_MS)


if __name__ == "__main__":
    raise SystemExit(main())
