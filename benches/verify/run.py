#!/usr/bin/env python3
"""`trailhound verify` beside the machine's raw speed at inflating and hashing the same files.

    python3 benches/verify/run.py [--files N] [--rounds N]

Log files of the seeded generator with digests signed for them, all in the page cache. The raw speed is
a plain loop over the files: read, inflate with libdeflate, SHA-256, on all cores. Prints both, and
exits with 1 where verifying runs at less than half of it.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import measure  # noqa: E402

# The generator's mix comes to about this many events for each file.
EVENTS_PER_FILE = 300
LEAST_RATIO = 0.5


def archive_of(folder: pathlib.Path, tool: pathlib.Path, wanted_files: int) -> tuple:
    """At least `wanted_files` log files over ten days, and their digests."""
    events = wanted_files * EVENTS_PER_FILE
    while True:
        archive = folder / "archive"
        measure.generate(archive, "--events", events, "--days", 10)
        files = sum(1 for _ in archive.rglob("*.json.gz"))
        if files >= wanted_files:
            made = subprocess.run([tool, "digest", archive], check=True, stdout=subprocess.PIPE)
            return archive, json.loads(made.stdout)
        subprocess.run(["rm", "-rf", archive], check=True)
        events = events * wanted_files // files + 10_000


def main() -> int:
    """Generates, then measures both in turn."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=10_000, help="(default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="(default: %(default)s)")
    measure.add_scratch_argument(parser)
    arguments = parser.parse_args()
    trailhound = measure.binary()
    tool = pathlib.Path(os.environ.get("TRAILHOUND_VERIFY_BENCH") or measure.build("--example", "verify"))
    cores = os.cpu_count()
    raw, whole = [], []
    with measure.scratch(arguments) as folder:
        folder = pathlib.Path(folder)
        archive, made = archive_of(folder, tool, arguments.files)
        keys = archive.with_suffix(".keys.json")
        command = [trailhound, "verify", archive, "--public-keys", keys, "--json"]
        environment = {**os.environ, "HOME": str(folder), "TRAILHOUND_CACHE": str(folder / "none")}
        # The first round only fills the page cache.
        for counts in range(arguments.rounds + 1):
            run = subprocess.run([tool, "raw", archive, str(cores)], check=True, stdout=subprocess.PIPE)
            mine = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment)
            if counts:
                raw.append(json.loads(run.stdout))
                whole.append(json.loads(mine.stdout))
    report, n_bytes = whole[0], raw[0]["bytes"]
    if report["logs"]["valid"] != made["logs"] or report["inflated_bytes"] != n_bytes:
        sys.exit(f"not all files are valid: {report['logs']} of {made}")
    seconds = [statistics.median(run["seconds"] for run in runs) for runs in (raw, whole)]
    print(f"{measure.machine()}\n")
    print(f"{made['logs']:,} log files, {made['digests']:,} digests, {n_bytes / 1e9:.2f} GB inflated\n")
    print("| | seconds | GB/s inflated |")
    print("|---|--:|--:|")
    names = ("inflating and hashing alone", "`trailhound verify`")
    for name, took in zip(names, seconds):
        print(f"| {name} | {took:.2f} | {n_bytes / 1e9 / took:.2f} |")
    ratio = seconds[0] / seconds[1]
    print(f"\nverifying runs at {ratio:.0%} of the raw speed")
    return ratio < LEAST_RATIO


if __name__ == "__main__":
    sys.exit(main())
