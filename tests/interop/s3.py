#!/usr/bin/env python3
"""A bucket of a real S3-compatible server gives what the same files give from a disk.

    python3 tests/interop/s3.py

An archive is uploaded with boto3 to a server of its own (see gateway.py) and ingested with keys that
may only read: counts, hashes and answers are those of a local ingest; a second run reads nothing; a
killed one is finished by the next; what was overwritten and deleted is found; and the bucket is what
it was. Exits with 1 where that does not hold.
"""

import concurrent.futures
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import environment
import gateway
from environment import measure
from gateway import ANALYST_KEYS, READER_KEYS, READING, ROOT_KEYS

EVENTS = 8_000
BUCKET = "logs"
PREFIX = "evidence/"

# Questions whose answers must not depend on where the files lay.
GROUPED = ("eventname", "recipientaccountid", "awsregion", "sourceipaddress")


class Trailhound:
    """The binary, with one cache and one user's keys."""

    def __init__(self, binary: pathlib.Path, cache: object, settings: dict):
        self.command = [binary, "--path-style", "--cache", cache]
        self.settings = settings

    def start(self, *arguments: object) -> subprocess.Popen:
        """Begins a run."""
        return subprocess.Popen(
            [str(part) for part in (*self.command, *arguments)],
            env=self.settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: object, code: int = 0) -> str:
        """Runs to the end; gives stdout."""
        child = self.start(*arguments)
        stdout, stderr = child.communicate(timeout=120)
        if child.returncode != code:
            sys.exit(f"{arguments} ended with {child.returncode}:\n{stdout}\n{stderr}")
        return stdout

    def ingest(self, source: object, *options: object) -> dict:
        """Ingests; gives the report."""
        return json.loads(self.run("ingest", source, "--json", *options))

    def ask(self, sql: str) -> list:
        """The answer's rows."""
        answer = self.run("sql", "--format", "ndjson", sql)
        return [list(json.loads(line).values()) for line in answer.splitlines()]

    def answers(self) -> dict:
        """What it answers about all events."""
        grouped = "SELECT {0} AS value, count(*) AS n FROM cloudtrail_logs GROUP BY 1"
        return {column: dict(self.ask(grouped.format(column))) for column in GROUPED}


def agree(what: str, found: object, expected: object) -> None:
    """Fails where two findings differ."""
    if found != expected:
        sys.exit(f"{what}: found {found}\nexpected {expected}")
    print(f"  {what}")


def upload(client, archive: pathlib.Path) -> int:
    """Puts every file of the archive below the prefix; gives how many."""
    paths = [path for path in archive.rglob("*") if path.is_file()]

    def put(path: pathlib.Path) -> None:
        key = PREFIX + path.relative_to(archive).as_posix()
        client.put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes())

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(put, paths))
    return len(paths)


def contents(client) -> list:
    """All versions and delete markers of the bucket. A set: this server begins a page of versions
    with the entry that ended the page before."""
    found = set()
    for page in client.get_paginator("list_object_versions").paginate(Bucket=BUCKET):
        found |= {(v["Key"], v["VersionId"], v["ETag"]) for v in page.get("Versions", [])}
        found |= {(m["Key"], m["VersionId"], None) for m in page.get("DeleteMarkers", [])}
    return sorted(found, key=str)


def check_reading(server, binary, folder: pathlib.Path, archive: pathlib.Path) -> dict:
    """A bucket gives what a disk gives, once; answers the report of the local ingest."""
    reader = server.settings(READER_KEYS)
    local = Trailhound(binary, folder / "local", reader)
    wanted = local.ingest(archive)
    remote = Trailhound(binary, folder / "remote", reader)
    report = remote.ingest(f"s3://{BUCKET}/{PREFIX}")
    for part in ("files", "records"):
        agree(f"{part} are as many as from a disk", report[part], wanted[part])
    agree("questions have the same answers", remote.answers(), local.answers())

    stored = {
        f"s3://{BUCKET}/{PREFIX}{path.relative_to(archive).as_posix()}": path.read_bytes()
        for path in archive.rglob("*.json.gz")
    }
    hashes = {
        uri: [hashlib.sha256(data).hexdigest(), hashlib.md5(data).hexdigest()]
        for uri, data in stored.items()
    }
    ledger = remote.ask("SELECT uri, sha256, etag FROM log_files")
    found = {uri: [sha256, etag.strip('"')] for uri, sha256, etag in ledger}
    agree("the ledger has each object's SHA-256 and ETag", found, hashes)

    again = remote.ingest(f"s3://{BUCKET}/{PREFIX}")
    agree("a second run reads nothing", again["files"]["unchanged"], wanted["files"]["seen"])
    some = ("--account", min(uri.split("/AWSLogs/")[1].split("/")[0] for uri in stored))
    alone = Trailhound(binary, folder / "chosen", reader).ingest(f"s3://{BUCKET}/{PREFIX}", *some)
    alike = Trailhound(binary, folder / "alike", reader).ingest(archive, *some)
    agree("one account has the same records", alone["records"], alike["records"])
    return wanted


def check_killing(server, binary, folder: pathlib.Path, wanted: dict) -> None:
    """kill -9 in the middle, and a second run has everything once."""
    remote = Trailhound(binary, folder / "killed", server.settings(READER_KEYS))
    source = f"s3://{BUCKET}/{PREFIX}"
    run = remote.start("ingest", "--memory", "64MiB", "--threads", "1", source)
    log = folder / "killed" / "cloudtrail_logs" / "_delta_log"
    while run.poll() is None and len(list(log.glob("0*.json"))) < 2:
        time.sleep(0.002)
    run.kill()
    run.communicate()
    remote.ingest(source)
    events = remote.ask("SELECT count(*) AS n, count(DISTINCT eventid) AS ids FROM cloudtrail_logs")
    written = wanted["records"]["written"]
    agree("killed and run again, each event is there once", events, [[written, written]])


def check_versions(server, binary, folder: pathlib.Path) -> None:
    """What is overwritten is a new version; what is deleted is no more, and lost nowhere."""
    root = server.client(ROOT_KEYS)
    keys = sorted(key for key, _, etag in contents(root) if etag)
    overwritten, deleted = keys[0], keys[1]
    body = root.get_object(Bucket=BUCKET, Key=keys[2])["Body"].read()
    root.put_object(Bucket=BUCKET, Key=overwritten, Body=body)
    root.delete_object(Bucket=BUCKET, Key=deleted)
    remote = Trailhound(binary, folder / "remote", server.settings(READER_KEYS))
    report = remote.ingest(f"s3://{BUCKET}/{PREFIX}")["files"]
    counts = (report["ingested"], report["unchanged"], report["seen"])
    agree("what was overwritten is read again", counts, (1, len(keys) - 2, len(keys) - 1))
    remote.ingest(f"s3://{BUCKET}/{PREFIX}", "--versions")
    removed = remote.ask("SELECT uri, removed FROM log_files WHERE removed IS NOT NULL ORDER BY 1")
    wanted = [(f"s3://{BUCKET}/{overwritten}", "overwritten"), (f"s3://{BUCKET}/{deleted}", "deleted")]
    found = [(uri.split("?")[0], how) for uri, how in removed]
    agree("what someone overwrote and deleted is read, and said", found, sorted(wanted))


def check_refusals(server, binary, folder: pathlib.Path) -> None:
    """Keys that are wrong end the run and say so."""
    access, secret = READER_KEYS
    wrong = Trailhound(binary, folder / "wrong", server.settings((access, secret[::-1])))
    wrong.run("ingest", f"s3://{BUCKET}/{PREFIX}", code=2)
    print("  a wrong secret ends with 2")


def main() -> None:
    """Uploads, ingests, compares."""
    binary = measure.binary()
    with gateway.best() as server, tempfile.TemporaryDirectory(prefix="interop-s3-") as folder:
        folder = pathlib.Path(folder)
        archive = folder / "archive"
        measure.generate(archive, "--events", EVENTS, "--files-mix", "tiny")
        server.create_bucket(BUCKET, [(READER_KEYS, READING), (ANALYST_KEYS, READING)])
        root = server.client(ROOT_KEYS)
        print(f"{upload(root, archive):,} objects")
        before = contents(root)
        wanted = check_reading(server, binary, folder, archive)
        check_killing(server, binary, folder, wanted)
        if server.is_strict:
            check_refusals(server, binary, folder)
        agree("the bucket is what it was", contents(root), before)
        check_versions(server, binary, folder)


if __name__ == "__main__":
    environment.enter()
    main()
