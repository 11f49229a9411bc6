#!/usr/bin/env python3
"""Peak memory of `trailhound ingest` at its default settings, where archives are at their worst.

    python3 benches/memory/run.py [--bytes N] [--files N]

Two archives from the seeded generator: one plain JSON file of 1 GiB, and 300,000 files of about five
events each. Prints the kernel's high-water mark (VmHWM) of each ingest, and exits with 1 where one
reaches 1 GiB.
"""

import argparse
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import measure  # noqa: E402

LIMIT_BYTES = 1 << 30

# The generator's mix comes to about this much JSON for each event, and events for each tiny file.
BYTES_PER_EVENT = 1_390
EVENTS_PER_TINY_FILE = 5


def single(folder: pathlib.Path, wanted_bytes: int) -> pathlib.Path:
    """One plain file of at least `wanted_bytes`."""
    events = wanted_bytes // BYTES_PER_EVENT
    while True:
        archive = folder / "single"
        measure.generate(archive, "--files-mix", "single", "--events", events)
        size = sum(path.stat().st_size for path in archive.rglob("*.json"))
        if size >= wanted_bytes:
            return archive
        subprocess.run(["rm", "-rf", archive], check=True)
        events = events * wanted_bytes // size + 1_000


def tiny(folder: pathlib.Path, wanted_files: int) -> pathlib.Path:
    """At least `wanted_files` gzip files of a few events each."""
    events = wanted_files * EVENTS_PER_TINY_FILE
    while True:
        archive = folder / "tiny"
        measure.generate(archive, "--files-mix", "tiny", "--events", events)
        files = sum(1 for _ in archive.rglob("*.json.gz"))
        if files >= wanted_files:
            return archive
        subprocess.run(["rm", "-rf", archive], check=True)
        events = events * wanted_files // files + 1_000


def main() -> int:
    """Generates, ingests, reports."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bytes", type=int, default=1 << 30, help="(default: %(default)s)")
    parser.add_argument("--files", type=int, default=300_000, help="(default: %(default)s)")
    measure.add_scratch_argument(parser)
    arguments = parser.parse_args()
    trailhound = measure.binary()
    code = 0
    print(f"{measure.machine()}\n")
    print("| archive | files | records | peak memory | CPU | wall |")
    print("|---|--:|--:|--:|--:|--:|")
    for make, wanted in ((single, arguments.bytes), (tiny, arguments.files)):
        with measure.scratch(arguments) as folder:
            folder = pathlib.Path(folder)
            cost, report = measure.ingest(trailhound, make(folder, wanted), folder / "cache")
        code |= cost.peak_bytes >= LIMIT_BYTES
        print(
            f"| {make.__name__} | {report['files']['ingested']:,} | {report['records']['read']:,} "
            f"| {cost.peak_bytes / 2**20:,.0f} MiB | {cost.cpu_seconds:.1f} s "
            f"| {cost.wall_seconds:.1f} s |",
            flush=True,
        )
    return code


if __name__ == "__main__":
    sys.exit(main())
