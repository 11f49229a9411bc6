#!/usr/bin/env python3
"""What Tab costs at the prompt, beside `SELECT 1;` through the same prompt.

    python3 benches/prompt/run.py [--events N] [--rounds N] [--cache DIR]

A generated archive is ingested, and a prompt opened on its cache in a pseudo-terminal, as a user has it.
In each round `SELECT 1;` is entered and timed until the next prompt is drawn; then a value of each column
is typed but for its last character, and Tab timed until the value is drawn. The medians count. The mark: no
Tab takes longer than twice `SELECT 1;`.

Of a new prompt it is told how long it takes from its start until it is drawn, and until the values of the
first column are known.
"""

import argparse
import os
import pathlib
import pty
import select
import statistics
import subprocess
import sys
import termios
import struct
import fcntl
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import measure  # noqa: E402

# How many times `SELECT 1;` a Tab may take.
MARK = 2.0

# The columns whose values are completed.
COLUMNS = [
    "eventname",
    "eventsource",
    "awsregion",
    "recipientaccountid",
    "errorcode",
    "sourceipaddress",
    "useridentity.arn",
    "useridentity.accesskeyid",
    "principal_key",
    "useragent",
]

# What the editor sends when it begins to read a line.
READING = b"\x1b[?2004h"

# The longest a step may take, in seconds.
PATIENCE = 60


class Prompt:
    """A prompt in a pseudo-terminal."""

    def __init__(self, trailhound: pathlib.Path, cache: pathlib.Path):
        environment = {"PATH": os.environ["PATH"], "TERM": "xterm", "NO_COLOR": "1", "LANG": "C.UTF-8"}
        self.child, self.master = pty.fork()
        if self.child == 0:
            os.execve(trailhound, [str(trailhound), "--cache", str(cache)], environment)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 160, 0, 0))
        self.seen = b""
        self.wait(READING)

    def wait(self, text: bytes, patience: float = PATIENCE) -> bool:
        """Waits for `text`; whether it came."""
        until = time.monotonic() + patience
        while text not in self.seen:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.master], [], [], left)[0]:
                return False
            self.seen += os.read(self.master, 1 << 16)
        self.seen = self.seen.split(text, 1)[1]
        return True

    def send(self, text: str) -> None:
        os.write(self.master, text.encode())

    def timed(self, text: str, awaited: bytes) -> float:
        """Seconds from sending `text` until `awaited` is there."""
        began = time.perf_counter()
        self.send(text)
        if not self.wait(awaited):
            sys.exit(f"{awaited} never came: {self.seen[-500:]}")
        return time.perf_counter() - began

    def drain(self) -> None:
        """Reads what still comes."""
        while select.select([self.master], [], [], 0.05)[0]:
            os.read(self.master, 1 << 16)
        self.seen = b""

    def give_up_line(self) -> None:
        self.send("\x03")
        self.wait(READING)
        self.drain()

    def close(self) -> None:
        self.send("\x04")
        os.waitpid(self.child, 0)
        os.close(self.master)


def values(trailhound: pathlib.Path, cache: pathlib.Path) -> dict:
    """A value of each column, as a user would begin to type it."""
    found = {}
    for column in COLUMNS:
        # Sessions have names and keys beyond number, of which not all are kept.
        # The longest is the one that few others go on from.
        sql = f"""SELECT max_by({column}, length({column})) AS v FROM cloudtrail_logs
            WHERE {column} NOT LIKE '%:assumed-role/%' AND {column} NOT LIKE 'ASIA%'"""
        command = [trailhound, "--cache", cache, "sql", "--raw", "--format", "ndjson", sql]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        found[column] = measure.json.loads(text)["v"]
    return found


def line(column: str, value: str) -> str:
    return f"SELECT * FROM cloudtrail_logs WHERE {column} = '{value[:-1]}"


def tab(prompt: Prompt, column: str, value: str) -> float:
    """Seconds that Tab takes to complete `value`."""
    prompt.send(line(column, value))
    prompt.wait(line(column, value).encode())
    prompt.drain()
    seconds = prompt.timed("\t", value.encode())
    prompt.drain()
    prompt.give_up_line()
    return seconds


def first_tab(trailhound: pathlib.Path, cache: pathlib.Path, column: str, value: str) -> tuple:
    """Seconds from the start to the first prompt, and until Tab knows `value`."""
    began = time.perf_counter()
    prompt = Prompt(trailhound, cache)
    drawn = time.perf_counter() - began
    prompt.send(line(column, value))
    prompt.wait(line(column, value).encode())
    while True:
        prompt.send("\t")
        if prompt.wait(value.encode(), 0.02):
            known = time.perf_counter() - began
            break
    prompt.drain()
    prompt.give_up_line()
    prompt.close()
    return drawn, known


def run(arguments: argparse.Namespace, cache: pathlib.Path) -> int:
    trailhound = measure.binary()
    typed = values(trailhound, cache)
    drawn, known = first_tab(trailhound, cache, "eventname", typed["eventname"])
    prompt = Prompt(trailhound, cache)
    selects, tabs = [], {column: [] for column in COLUMNS}
    for _ in range(arguments.rounds):
        selects.append(prompt.timed("SELECT 1;\r", READING))
        prompt.drain()
        for column in COLUMNS:
            tabs[column].append(tab(prompt, column, typed[column]))
    prompt.close()
    one = statistics.median(selects)
    print(f"the prompt is drawn after {drawn:.2f} s, values are known after {known:.2f} s")
    print(f"| {'':<26} | median | share |\n|---|--:|--:|")
    print(f"| {'SELECT 1;':<26} | {one * 1000:.1f} ms | 1.00 |")
    worst = 0.0
    for column, seconds in tabs.items():
        median = statistics.median(seconds)
        worst = max(worst, median / one)
        print(f"| {column + ' ⇥':<26} | {median * 1000:.1f} ms | {median / one:.2f} |")
    print(f"the slowest Tab takes {worst:.2f} times SELECT 1; the mark is {MARK}")
    return 0 if worst <= MARK else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--cache", type=pathlib.Path, help="a cache to use instead of a generated one")
    measure.add_scratch_argument(parser)
    arguments = parser.parse_args()
    print(measure.machine())
    if arguments.cache:
        return run(arguments, arguments.cache)
    with measure.scratch(arguments) as folder:
        archive, cache = pathlib.Path(folder) / "archive", pathlib.Path(folder) / "cache"
        measure.generate(archive, "--events", arguments.events)
        measure.ingest(measure.binary(), archive, cache)
        return run(arguments, cache)


if __name__ == "__main__":
    sys.exit(main())
