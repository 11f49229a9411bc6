#!/usr/bin/env python3
"""Dossiers beside DuckDB: what a whole one costs, and the slowest of its questions asked alone.

    python3 benches/pivots/run.py [--events N] [--rounds N] [--cache DIR] [KIND …]

A generated archive is ingested, and both engines read the Parquet files of that cache, which the system
holds in memory, on all cores. In each round each dossier is made by trailhound in a process of its own,
and then DuckDB answers the dossier's questions one after the other: when and how often, by hour, outcome
and region, the most frequent callers, keys, addresses, agents, APIs, errors and resources with first and
last time, and what occurs in no other event. The best round of each counts. The mark: the whole dossier
takes no longer than three times the slowest of these questions.

The start of the process and the opening of the cache are in trailhound's figures; DuckDB's clock starts
when its files are open.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE.parent / "compare"))
import measure  # noqa: E402
from run import peers_python, warm  # noqa: E402

# How many times the slowest question a dossier may take.
MARK = 3.0

# What dossiers are made on: the pivot, and the statement that finds its value in the data.
SUBJECTS = [
    ("who", "an IAM user", "SELECT principal_key FROM cloudtrail_logs WHERE principal_key LIKE '%:user/%' GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"),
    ("who", "a role's name", "SELECT split_part(principal_key, '/', 2) FROM cloudtrail_logs WHERE principal_key LIKE '%:role/%' GROUP BY principal_key ORDER BY count(*) DESC, 1 LIMIT 1"),
    ("ip", "an address", "SELECT src_ip FROM cloudtrail_logs WHERE src_kind = 'ip4' GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"),
    ("key", "a long-term key", "SELECT useridentity.accesskeyid FROM cloudtrail_logs WHERE key_kind = 'long-term' GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"),
    ("key", "a session's key", "SELECT max(useridentity.accesskeyid) FROM cloudtrail_logs WHERE key_kind = 'temporary'"),
    ("api", "the most frequent API", "SELECT eventname FROM cloudtrail_logs GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"),
    ("api", "a rare API", "SELECT eventname FROM cloudtrail_logs GROUP BY 1 HAVING count(*) > 100 ORDER BY count(*), 1 LIMIT 1"),
    ("resource", "a bucket", "SELECT json_extract_scalar(requestparameters, '$.bucketName') FROM cloudtrail_logs WHERE eventname = 'PutObject' GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"),
]

# The dimensions that are counted, as DuckDB's expressions.
COUNTED = {
    "callers": "principal_key",
    "sessions": "session_name",
    "keys": "useridentity.accesskeyid",
    "addresses": "sourceipaddress",
    "agents": "useragent",
    "APIs": "eventsource || ':' || eventname",
    "errors": "errorcode",
    "outcomes": "outcome",
    "regions": "awsregion",
    "accounts": "recipientaccountid",
    "bucket names": "json_extract_string(requestparameters, '$.bucketName')",
    "role ARNs": "json_extract_string(requestparameters, '$.roleArn')",
}

# What may be new, by pivot.
NEW = {
    "who": ["addresses", "agents", "regions", "APIs"],
    "key": ["addresses", "agents", "regions", "APIs"],
    "ip": ["callers", "keys", "agents", "regions", "APIs"],
    "api": ["callers", "addresses", "agents"],
    "resource": ["callers", "addresses", "agents", "APIs"],
}


def condition(kind: str, value: str) -> str:
    """The subject's events as an analyst writes it in DuckDB."""
    text = value.replace("'", "''")
    if kind == "who":
        if value.startswith("arn:"):
            return f"principal_key = '{text}'"
        return (
            f"(principal_key LIKE '%/{text}' OR session_name = '{text}' "
            f"OR useridentity.username = '{text}')"
        )
    if kind == "resource":
        named = [f"contains({column}, '\"{text}\"')" for column in ("requestparameters", "responseelements")]
        arns = f"len(list_filter(resources, lambda r: r.arn = '{text}' OR r.arn LIKE '%:{text}' OR r.arn LIKE '%/{text}')) > 0"
        return f"({' OR '.join(named)} OR {arns})"
    column = {"ip": "sourceipaddress", "key": "useridentity.accesskeyid", "api": "eventname"}[kind]
    return f"{column} = '{text}'"


def questions(kind: str, value: str) -> dict:
    """The questions that the dossier answers, one by one."""
    where = condition(kind, value)
    events = f"FROM cloudtrail_logs WHERE {where}"
    failed = "count(*) FILTER (outcome <> 'ok')"
    span = "min(event_ts)::varchar, max(event_ts)::varchar"
    asked = {
        "overview": f"SELECT count(*), {failed}, {span} {events}",
        "hours": f"SELECT date_trunc('hour', event_ts)::varchar, count(*), {failed} {events} GROUP BY 1 ORDER BY 1",
        "resources": f"SELECT arn, count(*), {failed}, {span} FROM (SELECT unnest(resources).arn AS arn, "
        f"outcome, event_ts {events}) GROUP BY 1 ORDER BY 2 DESC LIMIT 10",
    }
    for name, expression in COUNTED.items():
        asked[name] = f"SELECT {expression}, count(*), {failed}, {span} {events} GROUP BY 1 ORDER BY 2 DESC LIMIT 10"
    for name in NEW[kind]:
        expression = COUNTED[name]
        asked[f"new {name}"] = (
            f"SELECT DISTINCT {expression} {events} EXCEPT "
            f"SELECT DISTINCT {expression} FROM cloudtrail_logs WHERE ({where}) IS NOT TRUE"
        )
    return asked


def by_trailhound(trailhound: pathlib.Path, cache: pathlib.Path, kind: str, value: str) -> dict:
    """One dossier; the whole process counts."""
    command = [trailhound, "--cache", cache, kind, value, "--json"]
    cost = measure.run(command, stderr=subprocess.DEVNULL)
    return {
        "cpu_seconds": cost.cpu_seconds,
        "wall_seconds": cost.wall_seconds,
        "peak_bytes": cost.peak_bytes,
        "answer": str(json.loads(cost.stdout)["events"]),
    }


def by_duckdb(python: pathlib.Path, cache: pathlib.Path, asked: dict) -> dict:
    """All questions of one dossier."""
    with tempfile.TemporaryFile("w+") as text:
        json.dump(asked, text)
        text.seek(0)
        files = cache / "cloudtrail_logs" / "*.parquet"
        listing = subprocess.run(
            [python, HERE / "peer.py", files], stdin=text, stdout=subprocess.PIPE, text=True, check=True
        )
    return json.loads(listing.stdout)


def compare(arguments: argparse.Namespace, cache: pathlib.Path) -> list:
    """The best run of each dossier and of each question."""
    trailhound, python = measure.binary(), peers_python()
    results = []
    for kind, what, finding in SUBJECTS:
        if arguments.kinds and kind not in arguments.kinds:
            continue
        found = measure.run([trailhound, "--cache", cache, "sql", "--raw", finding], stderr=subprocess.DEVNULL)
        value = found.stdout.split("\n")[1].strip()
        asked = questions(kind, value)
        ours, theirs = [], {}
        for _ in range(arguments.rounds):
            ours.append(by_trailhound(trailhound, cache, kind, value))
            for name, cost in by_duckdb(python, cache, asked).items():
                if name not in theirs or cost["wall_seconds"] < theirs[name]["wall_seconds"]:
                    theirs[name] = cost
        if theirs["overview"]["answer"] != ours[0]["answer"]:
            sys.exit(f"{kind} {value}: {ours[0]['answer']} and {theirs['overview']['answer']}")
        best = min(ours, key=lambda cost: cost["wall_seconds"])
        slowest = max(theirs, key=lambda name: theirs[name]["wall_seconds"])
        print(f"  {kind} {value}: {best['wall_seconds'] / theirs[slowest]['wall_seconds']:.2f}", file=sys.stderr)
        results.append((kind, what, best, slowest, theirs))
    return results


def report(results: list) -> int:
    """Prints the table; gives the exit code, 1 where a dossier misses the mark."""
    print("| dossier | events | trailhound wall | CPU | peak | slowest in DuckDB | wall | CPU | wall share | CPU share | all in DuckDB |")
    print("|---|--:|--:|--:|--:|---|--:|--:|--:|--:|--:|")
    code = 0
    for kind, what, ours, slowest, theirs in results:
        peer = theirs[slowest]
        most_cpu = max(cost["cpu_seconds"] for cost in theirs.values())
        walls, cpus = ours["wall_seconds"] / peer["wall_seconds"], ours["cpu_seconds"] / most_cpu
        code |= walls > MARK
        whole = sum(cost["wall_seconds"] for cost in theirs.values())
        print(
            f"| `{kind}`: {what} | {int(ours['answer']):,} | {ours['wall_seconds']:.2f} s "
            f"| {ours['cpu_seconds']:.2f} s | {ours['peak_bytes'] / 2**20:.0f} MiB | {slowest} "
            f"| {peer['wall_seconds']:.2f} s | {most_cpu:.2f} s | {walls:.2f} | {cpus:.2f} | {whole:.2f} s |"
        )
    return int(code)


def main() -> int:
    """Parses the arguments, compares, reports."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=10_000_000, help="(default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="(default: %(default)s)")
    parser.add_argument("--cache", type=pathlib.Path, help="a cache of such events that is there already")
    parser.add_argument("kinds", nargs="*", metavar="KIND", help="only these pivots")
    measure.add_scratch_argument(parser)
    arguments = parser.parse_args()
    print(f"{arguments.events:,} events, best of {arguments.rounds}, {measure.machine()}\n")
    if arguments.cache:
        warm(arguments.cache)
        return report(compare(arguments, arguments.cache))
    with measure.scratch(arguments) as folder:
        archive, cache = pathlib.Path(folder) / "archive", pathlib.Path(folder) / "cache"
        measure.generate(archive, "--events", arguments.events)
        measure.ingest(measure.binary(), archive, cache)
        warm(cache)
        return report(compare(arguments, cache))


if __name__ == "__main__":
    sys.exit(main())
