#!/usr/bin/env python3
"""Ingest side by side with ClickHouse and DuckDB: events per CPU-second over one archive.

    python3 benches/compare/run.py [--events N] [--rounds N] [--peers-only]

The archive comes from `cargo run --release --example generate`, seeded. In each round every engine
converts the whole archive, one after the other, and the best round of each counts: the one with the
least CPU time, since the rest is the machine's noise. Of the peers, each way we know to set them up
runs, and the best way counts. The peers are installed from PyPI, pinned, into a virtual environment
outside the tree.

The work is not the same. A peer writes one Parquet file of what it was told to look for, in any
order. trailhound's ingest keeps every field of every record, validates, sorts, deduplicates, hashes
the files, writes a ledger and commits.
"""

import argparse
import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import measure  # noqa: E402
from peers import WAYS  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent

# The first mark of ingest, in events per CPU-second: at least these times a peer's.
MARKS = {"clickhouse": 0.7, "duckdb": 5.0}


def peers_python() -> pathlib.Path:
    """The Python of the environment that holds the peers, made on the first call."""
    folder = measure.cache_folder() / "peers"
    python = folder / "bin" / "python"
    wanted = (HERE / "requirements.txt").read_text()
    stamp = folder / "requirements.txt"
    if not stamp.exists() or stamp.read_text() != wanted:
        print("installing the peers …", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--requirement", HERE / "requirements.txt"]
        subprocess.run(pip, check=True)
        stamp.write_text(wanted)
    return python


def warm(archive: pathlib.Path) -> int:
    """Reads the archive once, so that all engines find it in memory; gives its bytes."""
    return sum(len(path.read_bytes()) for path in archive.rglob("*") if path.is_file())


def run_trailhound(trailhound: pathlib.Path, archive: pathlib.Path, folder: pathlib.Path) -> dict:
    """One ingest into an empty cache. The whole process counts."""
    cache = folder / "cache"
    cost, report = measure.ingest(trailhound, archive, cache)
    stored = sum(path.stat().st_size for path in cache.rglob("*") if path.is_file())
    return {
        "cpu_seconds": cost.cpu_seconds,
        "wall_seconds": cost.wall_seconds,
        "peak_bytes": cost.peak_bytes,
        "rows": report["records"]["written"],
        "out_bytes": stored,
    }


def run_peer(python: pathlib.Path, peer: str, way: str, archive: pathlib.Path, folder: pathlib.Path):
    """One conversion by a peer, in a process of its own."""
    out = folder / "out.parquet"
    command = [python, HERE / "peers.py", peer, way, archive, out]
    return json.loads(measure.run(command).stdout)


def rounds(arguments: argparse.Namespace, archive: pathlib.Path, folder: pathlib.Path) -> dict:
    """Runs everything in turn; gives the results by engine and way."""
    python = peers_python()
    runs = []
    if not arguments.peers_only:
        trailhound = measure.binary()
        runs.append((("trailhound", "ingest"), lambda at: run_trailhound(trailhound, archive, at)))
    for peer, ways in WAYS.items():
        for way in ways:
            runs.append(
                ((peer, way), lambda at, peer=peer, way=way: run_peer(python, peer, way, archive, at))
            )
    results = {}
    for number in range(arguments.rounds):
        for engine, run in runs:
            at = folder / f"{number}-{engine[0]}-{len(results.get(engine, []))}-{hash(engine) & 0xffff}"
            at.mkdir()
            result = run(at)
            subprocess.run(["rm", "-rf", at], check=True)
            if result["rows"] != arguments.events:
                sys.exit(f"{engine} wrote {result['rows']} rows of {arguments.events} events")
            results.setdefault(engine, []).append(result)
            print(f"  round {number + 1}: {' '.join(engine)}: {rate(result):,.0f}", file=sys.stderr)
    return results


def rate(result: dict) -> float:
    """Events per CPU-second."""
    return result["rows"] / result["cpu_seconds"]


def report(results: dict) -> int:
    """Prints the table and the ratios; gives the exit code, 1 where a mark is missed."""
    best = {engine: max(many, key=rate) for engine, many in results.items()}
    print("| engine | events per CPU-second | CPU | wall | peak memory | size |")
    print("|---|--:|--:|--:|--:|--:|")
    for (name, way), result in best.items():
        print(
            f"| {name}: {way} | {rate(result):,.0f} | {result['cpu_seconds']:.1f} s "
            f"| {result['wall_seconds']:.1f} s | {result['peak_bytes'] / 2**20:,.0f} MiB "
            f"| {result['out_bytes'] / 2**20:,.0f} MiB |"
        )
    if ("trailhound", "ingest") not in best:
        return 0
    own = rate(best["trailhound", "ingest"])
    code = 0
    print()
    for peer, mark in MARKS.items():
        peer_rate = max(rate(result) for (name, _), result in best.items() if name == peer)
        verdict = "reached" if own >= mark * peer_rate else "MISSED"
        code |= verdict != "reached"
        print(f"- {own / peer_rate:.2f} times {peer}'s best; the mark is {mark}: {verdict}")
    return int(code)


def main() -> int:
    """Parses the arguments, compares, reports."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=1_000_000, help="(default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="(default: %(default)s)")
    parser.add_argument("--peers-only", action="store_true", help="leave trailhound out")
    measure.add_scratch_argument(parser)
    arguments = parser.parse_args()
    print(f"{arguments.events:,} events, best of {arguments.rounds}, {measure.machine()}\n")
    with measure.scratch(arguments) as folder:
        folder = pathlib.Path(folder)
        archive = folder / "archive"
        measure.generate(archive, "--events", arguments.events)
        files = sum(1 for path in archive.rglob("*") if path.is_file())
        print(f"{files:,} files, {warm(archive) / 2**20:,.0f} MiB of gzip\n")
        results = rounds(arguments, archive, folder)
    return report(results)


if __name__ == "__main__":
    sys.exit(main())
