#!/usr/bin/env python3
"""Frequent functions side by side with DuckDB's: CPU time of one statement over the same rows.

    python3 benches/functions/run.py [--events N] [--rounds N] [--repeats N] [NAME …]

A generated archive is ingested, and both engines read the Parquet files of that cache, which the
system holds in memory, on all cores. In each round each statement is run by trailhound and by DuckDB
in turn, several times in one process; the best round of each counts, the one with the least CPU
time. Answers must be the same. Where DuckDB has several ways to write a statement, its fastest counts.

Both clocks start when the files are open: DuckDB's within its process, trailhound's by the difference
between a process that runs the statement twice as often and one that runs it so often. Planning and
reading the column are in both figures; what reading alone costs stands in the last rows.
"""

import argparse
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE.parent / "compare"))
import measure  # noqa: E402
from run import peers_python, warm  # noqa: E402

# The function, trailhound's expression, DuckDB's ways. An expression that is a condition counts rows.
# `eventtime` is text; `event_ts` is the same as a timestamp in both.
STATEMENTS = [
    (
        "json_extract_scalar",
        "json_extract_scalar(requestparameters, '$.bucketName') LIKE 'prod%'",
        ["json_extract_string(requestparameters, '$.bucketName') LIKE 'prod%'"],
    ),
    (
        "json_extract_scalar",
        "sum(length(json_extract_scalar(requestparameters, '$.instancesSet.items[0].instanceId')))",
        ["sum(length(json_extract_string(requestparameters, '$.instancesSet.items[0].instanceId')))"],
    ),
    (
        "from_iso8601_timestamp",
        "CAST(to_unixtime(max(from_iso8601_timestamp(eventtime))) AS bigint)",
        [
            "CAST(epoch(max(CAST(eventtime AS TIMESTAMPTZ))) AS BIGINT)",
            "CAST(epoch(max(CAST(eventtime AS TIMESTAMP))) AS BIGINT)",
            "CAST(epoch(max(strptime(eventtime, '%Y-%m-%dT%H:%M:%SZ'))) AS BIGINT)",
        ],
    ),
    (
        "date_format",
        "sum(length(date_format(event_ts, '%Y-%m-%d %H:%i')))",
        [
            "sum(length(strftime(CAST(event_ts AS TIMESTAMP), '%Y-%m-%d %H:%M')))",
            "sum(length(strftime(event_ts, '%Y-%m-%d %H:%M')))",
        ],
    ),
    (
        "date_format",
        "count(DISTINCT date_format(from_iso8601_timestamp(eventtime), '%Y-%m-%d'))",
        ["count(DISTINCT strftime(CAST(eventtime AS TIMESTAMP), '%Y-%m-%d'))"],
    ),
    (
        "regexp_like",
        "regexp_like(eventname, '^(Delete|Stop|Update)')",
        ["regexp_matches(eventname, '^(Delete|Stop|Update)')"],
    ),
    (
        "regexp_like",
        "regexp_like(useridentity.arn, 'assumed-role/[A-Za-z]+Admin')",
        ["regexp_matches(useridentity.arn, 'assumed-role/[A-Za-z]+Admin')"],
    ),
    (
        "regexp_like",
        "regexp_like(requestparameters, '(?i)\"(user|role)name\":')",
        ["regexp_matches(requestparameters, '(?i)\"(user|role)name\":')"],
    ),
    (
        "element_at",
        "count(element_at(resources, 1).arn)",
        ["count(resources[1].arn)", "count(list_extract(resources, 1).arn)"],
    ),
    (
        "element_at",
        "element_at(split(useridentity.arn, '/'), 2) = 'alice'",
        [
            "list_extract(string_split(useridentity.arn, '/'), 2) = 'alice'",
            "split_part(useridentity.arn, '/', 2) = 'alice'",
        ],
    ),
    (
        "split",
        "split(eventsource, '.')[1] = 's3'",
        ["string_split(eventsource, '.')[1] = 's3'", "split_part(eventsource, '.', 1) = 's3'"],
    ),
    (
        "split",
        "sum(cardinality(split(useragent, '/')))",
        ["sum(len(string_split(useragent, '/')))"],
    ),
    (
        "split",
        "sum(cardinality(split(requestparameters, ',')))",
        ["sum(len(string_split(requestparameters, ',')))"],
    ),
    ("(reading)", "sum(length(eventname))", ["sum(length(eventname))"]),
    ("(reading)", "sum(length(useridentity.arn))", ["sum(length(useridentity.arn))"]),
    ("(reading)", "sum(length(requestparameters))", ["sum(length(requestparameters))"]),
]


def statement(expression: str) -> str:
    """The statement over all rows that the expression is measured in."""
    if expression.startswith(("sum(", "count(", "CAST(")):
        return f"SELECT {expression} FROM cloudtrail_logs"
    return f"SELECT count(*) FROM cloudtrail_logs WHERE {expression}"


def by_trailhound(trailhound: pathlib.Path, cache: pathlib.Path, sql: str, repeats: int) -> list:
    """A process that runs `sql` so often, and one that runs it twice as often."""
    return [
        measure.run(
            [trailhound, "--cache", cache, "sql", "--raw", "; ".join([sql] * n)],
            stderr=subprocess.DEVNULL,
        )
        for n in (repeats, 2 * repeats)
    ]


def of_one(fewer: measure.Cost, more: measure.Cost, repeats: int) -> dict:
    """What one run of the statement costs."""
    return {
        "cpu_seconds": (more.cpu_seconds - fewer.cpu_seconds) / repeats,
        "wall_seconds": (more.wall_seconds - fewer.wall_seconds) / repeats,
    }


def by_duckdb(python: pathlib.Path, cache: pathlib.Path, sql: str, repeats: int) -> dict:
    """The same by DuckDB."""
    files = cache / "cloudtrail_logs" / "*.parquet"
    return json.loads(measure.run([python, HERE / "peer.py", files, repeats, sql]).stdout)


def compare(arguments: argparse.Namespace, cache: pathlib.Path) -> list:
    """The best run of each engine for each statement."""
    trailhound, python = measure.binary(), peers_python()
    chosen = [row for row in STATEMENTS if not arguments.names or row[0] in arguments.names]
    runs = [([], [], []) for _ in chosen]
    for number in range(arguments.rounds):
        for (name, expression, ways), (fewer, more, theirs) in zip(chosen, runs):
            ours = by_trailhound(trailhound, cache, statement(expression), arguments.repeats)
            peers = [by_duckdb(python, cache, statement(way), arguments.repeats) for way in ways]
            answer = ours[1].stdout.split()[-1]
            for peer in peers:
                if peer["answer"] != answer:
                    sys.exit(f"{expression}: {answer} and {peer['answer']}")
            fewer.append(ours[0])
            more.append(ours[1])
            theirs.extend(peers)
            print(f"  round {number + 1}: {name}", file=sys.stderr)
    results = []
    for (name, expression, _), (fewer, more, theirs) in zip(chosen, runs):
        # Each process's best round, not the best difference, which chance would flatter.
        best = [min(costs, key=lambda cost: cost.cpu_seconds) for costs in (fewer, more)]
        ours = of_one(*best, arguments.repeats)
        results.append((name, expression, ours, min(theirs, key=lambda run: run["cpu_seconds"])))
    return results


def report(results: list) -> int:
    """Prints the table; gives the exit code, 1 where a function is slower than DuckDB's."""
    print("| function | over all rows | trailhound CPU | DuckDB CPU | share | wall |")
    print("|---|---|--:|--:|--:|--:|")
    code = 0
    for name, expression, ours, theirs in results:
        share = ours["cpu_seconds"] / theirs["cpu_seconds"]
        code |= share > 1 and not name.startswith("(")
        shown = expression.replace("|", "\\|")
        cpu = [f"{run['cpu_seconds'] * 1000:.0f} ms" for run in (ours, theirs)]
        wall = [f"{run['wall_seconds'] * 1000:.0f}" for run in (ours, theirs)]
        print(f"| {name} | `{shown}` | {cpu[0]} | {cpu[1]} | {share:.2f} | {wall[0]} : {wall[1]} ms |")
    return int(code)


def main() -> int:
    """Parses the arguments, compares, reports."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=1_000_000, help="(default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="(default: %(default)s)")
    parser.add_argument(
        "--repeats", type=int, default=10, help="runs in one process (default: %(default)s)"
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these functions")
    measure.add_scratch_argument(parser)
    arguments = parser.parse_args()
    print(f"{arguments.events:,} events, best of {arguments.rounds}, {measure.machine()}\n")
    with measure.scratch(arguments) as folder:
        archive, cache = pathlib.Path(folder) / "archive", pathlib.Path(folder) / "cache"
        measure.generate(archive, "--events", arguments.events)
        measure.ingest(measure.binary(), archive, cache)
        warm(cache)
        results = compare(arguments, cache)
    return report(results)


if __name__ == "__main__":
    sys.exit(main())
