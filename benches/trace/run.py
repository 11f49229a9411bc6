#!/usr/bin/env python3
"""What the session tree costs: time and peak memory of `sessions` and of `trailhound trace`.

    python3 benches/trace/run.py [--events N] [--rounds N] [--cache DIR]

A generated archive is ingested once (or the cache at DIR is taken), and lies in the system's memory.
Each statement is a process of its own, so that nothing is kept from the one before; the best round of
each counts, the one with the least CPU time. The first row is what the table is made from: the uses of
all keys, counted.
"""

import argparse
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import measure  # noqa: E402

COUNTED = """SELECT count(*) FROM (SELECT useridentity.accesskeyid, count(*), min(event_ts), max(event_ts)
FROM cloudtrail_logs GROUP BY 1)"""

# The root of the most credentials, and one of the deepest.
WIDEST = """SELECT root FROM sessions WHERE root_no IN (SELECT parent_no FROM sessions)
GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"""
DEEPEST = "SELECT credential FROM sessions ORDER BY depth DESC, calls DESC, credential LIMIT 1"


def ask(trailhound: pathlib.Path, cache: pathlib.Path, sql: str) -> str:
    """The one value that `sql` gives."""
    command = [trailhound, "--cache", cache, "sql", "--raw", sql]
    return measure.run(command, stderr=subprocess.DEVNULL).stdout.split()[-1]


def rows(trailhound: pathlib.Path, cache: pathlib.Path) -> list:
    """What is measured: a name, and the arguments."""
    return [
        ("keys, counted", ["sql", COUNTED]),
        ("`sessions`, counted", ["sql", "SELECT count(*) FROM sessions"]),
        ("`sessions`, a group for each edge", ["sql", "SELECT edge, sum(calls) FROM sessions GROUP BY 1"]),
        ("`sessions`, all columns", ["sql", "--format", "ndjson", "SELECT * FROM sessions"]),
        ("`trace` of the widest tree", ["trace", ask(trailhound, cache, WIDEST)]),
        ("`trace` of the deepest key", ["trace", ask(trailhound, cache, DEEPEST)]),
    ]


def main() -> None:
    """Measures, and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cache", type=pathlib.Path, help="a cache that is there already")
    measure.add_scratch_argument(parser)
    arguments = parser.parse_args()
    trailhound = measure.binary()
    with measure.scratch(arguments) as folder:
        cache = arguments.cache
        if cache is None:
            archive, cache = pathlib.Path(folder) / "archive", pathlib.Path(folder) / "cache"
            measure.generate(archive, "--events", arguments.events)
            measure.ingest(trailhound, archive, cache)
        n_events = ask(trailhound, cache, "SELECT count(*) FROM cloudtrail_logs")
        n_sessions = ask(trailhound, cache, "SELECT count(*) FROM sessions")
        print(f"{n_events} events, {n_sessions} sessions; {measure.machine()}\n")
        print("| what | CPU | wall | peak memory |\n|---|--:|--:|--:|")
        for name, command in rows(trailhound, cache):
            runs = [
                measure.run([trailhound, "--cache", cache, *command], stderr=subprocess.DEVNULL)
                for _ in range(arguments.rounds)
            ]
            best = min(runs, key=lambda run: run.cpu_seconds)
            peak = best.peak_bytes / 2**20
            print(f"| {name} | {best.cpu_seconds:.1f} s | {best.wall_seconds:.1f} s | {peak:.0f} MiB |")


if __name__ == "__main__":
    main()
