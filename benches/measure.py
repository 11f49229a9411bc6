"""What the benchmarks share: building, generating archives, and the cost of a child process."""

import argparse
import dataclasses
import json
import os
import pathlib
import platform
import resource
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


@dataclasses.dataclass
class Cost:
    """What a process took. Peak memory is the kernel's VmHWM."""

    cpu_seconds: float
    wall_seconds: float
    peak_bytes: int
    stdout: str = ""

    def __str__(self) -> str:
        return (
            f"{self.cpu_seconds:.2f} s CPU, {self.wall_seconds:.2f} s wall, "
            f"{self.peak_bytes / 2**20:.0f} MiB"
        )


def cache_folder() -> pathlib.Path:
    """The place for what is made once and kept: outside the tree, the user's own."""
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "trailhound"


def run(command: list, accepted: tuple = (0,), **options) -> Cost:
    """Runs a command to its end and measures it alone: its stdout is kept, stderr passes through."""
    with tempfile.TemporaryFile() as stdout:
        began = time.monotonic()
        child = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=stdout, **options
        )
        _, status, usage = os.wait4(child.pid, 0)
        wall_seconds = time.monotonic() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        stdout.seek(0)
        text = stdout.read().decode()
    if child.returncode not in accepted:
        sys.exit(f"{command[0]} ended with {child.returncode}: {' '.join(map(str, command))}\n{text}")
    # The kernel counts the peak in KiB on Linux, in bytes on macOS.
    unit = 1 if platform.system() == "Darwin" else 1024
    return Cost(usage.ru_utime + usage.ru_stime, wall_seconds, usage.ru_maxrss * unit, text)


def build(*targets: str) -> pathlib.Path:
    """Builds targets in the shared optimised profile; gives the path of the last one."""
    command = ["cargo", "build", "--release", "--locked", "--message-format=json", *targets]
    listing = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    built = [json.loads(line).get("executable") for line in listing.stdout.splitlines()]
    return pathlib.Path([path for path in built if path][-1])


def binary() -> pathlib.Path:
    """The trailhound to measure: `TRAILHOUND_BIN`, else one built now."""
    given = os.environ.get("TRAILHOUND_BIN")
    return pathlib.Path(given).resolve() if given else build("--bin", "trailhound")


def generate(out: pathlib.Path, *options: object) -> None:
    """Writes an archive of generated events; the same options give the same bytes."""
    generator = os.environ.get("TRAILHOUND_GENERATE") or build("--example", "generate")
    run([generator, "--out", out, *options], cwd=ROOT)


def scratch(arguments: argparse.Namespace) -> tempfile.TemporaryDirectory:
    """A directory for archives and outputs, removed at the end."""
    arguments.scratch.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(prefix="bench-", dir=arguments.scratch)


def add_scratch_argument(parser: argparse.ArgumentParser) -> None:
    """Lets the user say on which disk the work is done."""
    parser.add_argument(
        "--scratch",
        type=pathlib.Path,
        default=cache_folder(),
        help="where archives and outputs go while this runs (default: %(default)s)",
    )


def ingest(trailhound: pathlib.Path, source: pathlib.Path, cache: pathlib.Path, *options: object):
    """Ingests `source` into a new cache; gives the cost and the report."""
    command = [trailhound, "--cache", cache, "ingest", source, "--json", *options]
    cost = run(command)
    report = json.loads(cost.stdout)
    records = report["records"]
    if records["read"] != records["written"] + records["duplicates"] + records["rejected"]:
        sys.exit(f"the report does not reconcile: {records}")
    return cost, report


def machine() -> str:
    """The machine in a few words, for the head of a report."""
    model = platform.processor() or platform.machine()
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"{os.cpu_count()} cores ({model}), load before the start {load}"


def own_cost() -> tuple:
    """CPU seconds and peak bytes of this process until now."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    unit = 1 if platform.system() == "Darwin" else 1024
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit
