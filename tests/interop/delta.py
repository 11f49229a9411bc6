#!/usr/bin/env python3
"""Another reader counts the same rows in the cache: DuckDB, after a kill, and after a compaction.

    python3 tests/interop/delta.py

DuckDB reads Delta tables by a library of its own, so that what it finds is no echo of what wrote the
cache. It is installed from PyPI, pinned, into a virtual environment outside the tree. Exits with 1
where the two disagree.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import time

import environment
from environment import measure

TABLES = ("cloudtrail_logs", "cloudtrail_aggregated", "log_files", "duplicates", "rejects")
EVENTS = 40_000

# Ingests that together fill the cache that is compacted.
RUNS = 12

# Questions whose answers must agree: (trailhound's table, the column to group by).
GROUPED = (
    ("cloudtrail_logs", "eventname"),
    ("cloudtrail_logs", "recipientaccountid"),
    ("cloudtrail_logs", "useridentity.type"),
    ("cloudtrail_logs", "sourceipaddress"),
    ("log_files", "outcome"),
)


def connect():
    """DuckDB with its Delta reader."""
    import duckdb
    from duckdb_extensions import import_extension

    import_extension("delta")
    connection = duckdb.connect()
    connection.execute("LOAD delta")
    return connection


def theirs(connection, cache: pathlib.Path) -> dict:
    """What DuckDB finds in the cache."""
    found = {}
    for table in TABLES:
        scan = f"delta_scan('{cache / table}')"
        found[table] = connection.execute(f"SELECT count(*) FROM {scan}").fetchone()[0]
    for table, column in GROUPED:
        scan = f"delta_scan('{cache / table}')"
        rows = connection.execute(f"SELECT {column}, count(*) FROM {scan} GROUP BY 1").fetchall()
        found[table, column] = {str(value): n for value, n in rows}
    return found


def ours(trailhound: pathlib.Path, cache: pathlib.Path) -> dict:
    """What trailhound finds in it."""

    def ask(sql: str) -> list:
        command = [trailhound, "--cache", cache, "sql", "--format", "ndjson", sql]
        answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return [list(json.loads(line).values()) for line in answer.stdout.decode().splitlines()]

    found = {table: ask(f"SELECT count(*) AS n FROM {table}")[0][0] for table in TABLES}
    for table, column in GROUPED:
        rows = ask(f"SELECT {column} AS value, count(*) AS n FROM {table} GROUP BY 1")
        found[table, column] = {str(value): n for value, n in rows}
    return found


def ingest(trailhound: pathlib.Path, cache: pathlib.Path, *sources: pathlib.Path) -> list:
    """The command that ingests in many commits."""
    options = ["--memory", "64MiB", "--threads", "2"]
    return [trailhound, "--cache", cache, "ingest", *options, *sources]


def run_whole(command: list) -> None:
    """Runs it to its end; what it says matters only where it fails."""
    run = subprocess.run(command, stderr=subprocess.PIPE)
    if run.returncode != 0:
        sys.exit(f"{command} ended with {run.returncode}:\n{run.stderr.decode()}")


def versions(cache: pathlib.Path) -> list:
    """The log entries of the events' table."""
    return sorted((cache / "cloudtrail_logs" / "_delta_log").glob("0*.json"))


def compare(what: str, found: dict, expected: dict) -> None:
    """Fails where two findings differ."""
    for key in expected:
        if found.get(key) != expected[key]:
            sys.exit(f"{what}: {key}: {found.get(key)} and not {expected[key]}")
    print(f"{what}: {found['cloudtrail_logs']:,} events, all counts agree")


def kill_in_the_middle(trailhound: pathlib.Path, cache: pathlib.Path, archive: pathlib.Path) -> None:
    """kill -9 once some of the archive is committed."""
    run = subprocess.Popen(ingest(trailhound, cache, archive), stderr=subprocess.DEVNULL)
    while len(versions(cache)) < 3:
        if run.poll() is not None:
            sys.exit("the ingest ended before it could be killed")
        time.sleep(0.002)
    run.kill()
    run.wait()


def main() -> None:
    """Kills, compacts, and compares after each."""
    connection = connect()
    trailhound = measure.binary()
    with tempfile.TemporaryDirectory(prefix="interop-") as folder:
        folder = pathlib.Path(folder)
        archive = folder / "archive"
        measure.generate(archive, "--events", EVENTS, "--files-mix", "tiny")
        cache = folder / "killed"
        kill_in_the_middle(trailhound, cache, archive)
        killed = theirs(connection, cache)
        if not 0 < killed["cloudtrail_logs"] < EVENTS:
            sys.exit(f"the kill came too early or too late: {killed['cloudtrail_logs']} events")
        # Opening the cache finishes what the killed one had promised; the events are decided.
        mine = ours(trailhound, cache)
        compare("after a kill, events", {k: killed[k] for k in mine if "cloudtrail_logs" in k},
                {k: mine[k] for k in mine if "cloudtrail_logs" in k})
        compare("after a kill, opened", theirs(connection, cache), mine)
        run_whole(ingest(trailhound, cache, archive))
        whole = theirs(connection, cache)
        compare("run again", whole, ours(trailhound, cache))
        if whole["cloudtrail_logs"] != EVENTS:
            sys.exit(f"{whole['cloudtrail_logs']} of {EVENTS} events are there")

        cache = folder / "compacted"
        folders = sorted({path.parent for path in archive.rglob("*.json.gz")})
        for first in range(RUNS):
            run_whole(ingest(trailhound, cache, *folders[first::RUNS]))
        merged = sum('"remove"' in entry.read_text() for entry in versions(cache))
        if merged == 0:
            sys.exit("nothing was compacted")
        compare(f"after {merged} compactions", theirs(connection, cache), ours(trailhound, cache))
        compacted = theirs(connection, cache)
        for table, column in GROUPED:
            if compacted[table, column] != whole[table, column]:
                sys.exit(f"{table} by {column} is not what one ingest gives")


if __name__ == "__main__":
    environment.enter()
    main()
