#!/usr/bin/env python3
"""`trailhound verify` against the AWS CLI's own validator, over the same files.

    python3 tests/interop/validate_logs.py

Makes trails with keys of its own, tampers with each in one way, and lets both judge it: the class
behind `aws cloudtrail validate-logs`, with S3 and CloudTrail replaced by the files, and `trailhound
verify --json`. Each verdict must be the same, but for those named in `beyond`, where trailhound says
more or something else on purpose. The CLI is installed from PyPI, pinned, into a virtual environment
outside the tree. Exits with 1 where the two disagree.
"""

import base64
import contextlib
import copy
import datetime
import gzip
import hashlib
import io
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "benches"))
import measure  # noqa: E402

ACCOUNT, REGION, TRAIL, BUCKET = "111122223333", "us-east-1", "main_trail", "example-trail-logs"
HOURS = 6
FIRST = datetime.datetime(2024, 3, 1, 1, 5, 31, tzinfo=datetime.timezone.utc)
HOUR = datetime.timedelta(hours=1)

# The CLI's words for what trailhound does not call invalid, since nothing proves that it is.
UNVERIFIABLE = ("public key not found",)


def reexecute_with_awscli() -> None:
    """Runs this script again by the Python of an environment that has the AWS CLI."""
    folder = measure.cache_folder() / "awscli"
    python = folder / "bin" / "python"
    wanted = (HERE / "awscli.txt").read_text()
    stamp = folder / "awscli.txt"
    if not stamp.exists() or stamp.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--requirement", HERE / "awscli.txt"]
        subprocess.run(pip, check=True)
        stamp.write_text(wanted)
    sys.exit(subprocess.run([python, "-B", __file__, *sys.argv[1:]]).returncode)


class Key:
    """A key that signs digests."""

    def __init__(self):
        import rsa

        self.public, self.private = rsa.newkeys(2048)
        self.der = self.public.save_pkcs1(format="DER")

    @property
    def fingerprint(self) -> str:
        return hashlib.md5(self.der, usedforsecurity=False).hexdigest()

    def sign(self, text: bytes) -> str:
        import rsa

        return rsa.sign(text, self.private, "SHA-256").hex()

    def entry(self) -> dict:
        return {"Fingerprint": self.fingerprint, "Value": base64.b64encode(self.der).decode()}

    def wrapped(self) -> dict:
        """The same key as SubjectPublicKeyInfo, which has a fingerprint of its own."""
        head = bytes.fromhex("30820122300d06092a864886f70d01010105000382010f00")
        der = head + self.der
        fingerprint = hashlib.md5(der, usedforsecurity=False).hexdigest()
        return {"Fingerprint": fingerprint, "Value": base64.b64encode(der).decode()}


class Bucket:
    """Objects and their metadata, for both."""

    def __init__(self, keys: list):
        self.objects: dict = {}
        self.metadata: dict = {}
        self.keys = keys
        self.digests: list = []
        self.logs: list = []

    def log(self, end: datetime.datetime, n: int) -> dict:
        """Delivers a log file; gives what a digest says of it."""
        at = end - datetime.timedelta(minutes=30 - n)
        mark = hashlib.sha256(f"{at}{n}".encode()).hexdigest()[:16]
        key = (f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/{at:%Y/%m/%d}/"
               f"{ACCOUNT}_CloudTrail_{REGION}_{at:%Y%m%dT%H%MZ}_{mark}.json.gz")
        text = json.dumps({"Records": [{"eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}", "n": n}]}).encode()
        self.objects[key] = gzip.compress(text)
        return {"s3Bucket": BUCKET, "s3Object": key, "hashValue": hashlib.sha256(text).hexdigest(),
                "hashAlgorithm": "SHA-256", "newestEventTime": None, "oldestEventTime": None}

    def digest(self, key: Key, end: datetime.datetime, logs: list, previous=None, backfill=False,
               fingerprint: str = "", change=lambda value: None) -> dict:
        """Delivers a digest."""
        late = "_backfill" if backfill else ""
        place = (f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/{REGION}/{end:%Y/%m/%d}/{ACCOUNT}_CloudTrail"
                 f"-Digest_{REGION}_{TRAIL}_{REGION}_{end:%Y%m%dT%H%M%SZ}{late}.json.gz")
        value = {
            "awsAccountId": ACCOUNT,
            "digestStartTime": f"{end - HOUR:%Y-%m-%dT%H:%M:%SZ}",
            "digestEndTime": f"{end:%Y-%m-%dT%H:%M:%SZ}",
            "digestS3Bucket": BUCKET,
            "digestS3Object": place,
            "digestPublicKeyFingerprint": fingerprint or key.fingerprint,
            "digestSignatureAlgorithm": "SHA256withRSA",
            "previousDigestS3Bucket": previous and BUCKET,
            "previousDigestS3Object": previous and previous["key"],
            "previousDigestHashValue": previous and previous["hash"],
            "previousDigestHashAlgorithm": previous and "SHA-256",
            "previousDigestSignature": previous and previous["signature"],
            "logFiles": logs,
        }
        change(value)
        text = json.dumps(value).encode()
        digest = hashlib.sha256(text).hexdigest()
        before = value["previousDigestSignature"] or "null"
        signed = f"{value['digestEndTime']}\n{BUCKET}/{place}\n{digest}\n{before}"
        signature = key.sign(signed.encode())
        self.objects[place] = gzip.compress(text)
        self.metadata[place] = {"signature": signature, "signature-algorithm": "SHA256withRSA"}
        if backfill:
            made = f"{end + HOUR:%Y-%m-%dT%H:%M:%SZ}"
            self.metadata[place]["backfill-generation-timestamp"] = made
        return {"key": place, "hash": digest, "signature": signature, "end": end, "logs": logs}

    def text(self, key: str) -> bytes:
        return gzip.decompress(self.objects[key])

    def remove(self, key: str) -> None:
        del self.objects[key]
        self.metadata.pop(key, None)


def whole(signers: list) -> Bucket:
    """A chain of HOURS hours; none of its log files in the third."""
    bucket = Bucket([key.entry() for key in dict.fromkeys(signers)])
    previous = None
    for hour, key in enumerate(signers):
        end = FIRST + hour * HOUR
        logs = [bucket.log(end, n) for n in range(0 if hour == 2 else 2)]
        previous = bucket.digest(key, end, logs, previous)
        bucket.digests.append(previous)
        bucket.logs.append([log["s3Object"] for log in logs])
    return bucket


# What the AWS CLI finds.


class Client:
    """S3 and CloudTrail, answered from a bucket's objects."""

    def __init__(self, bucket: Bucket):
        self.bucket = bucket

    def get_client(self, _bucket_name: str) -> "Client":
        return self

    def get_paginator(self, _operation: str) -> "Client":
        return self

    def paginate(self, Bucket: str, Marker: str, Prefix: str) -> "Client":
        keys = sorted(self.bucket.objects)
        self.listed = [key for key in keys if key > Marker and key.startswith(Prefix)]
        return self

    def search(self, _expression: str) -> list:
        return self.listed

    def get_object(self, Bucket: str, Key: str) -> dict:
        from botocore.exceptions import ClientError

        if Key not in self.bucket.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        body = io.BytesIO(self.bucket.objects[Key])
        return {"Body": body, "Metadata": self.bucket.metadata.get(Key, {})}

    def list_public_keys(self, StartTime, EndTime) -> dict:
        return {"PublicKeyList": self.bucket.keys}


def theirs(bucket: Bucket) -> dict:
    """The CLI's verdict of each file: `valid`, or why not."""
    from awscli.customizations.cloudtrail.validation import CloudTrailValidateLogs

    command = CloudTrailValidateLogs.__new__(CloudTrailValidateLogs)
    try:
        command.__init__(None)
    except AttributeError:
        sys.exit("the CLI's class wants a session now: see what it is for")
    client = Client(bucket)
    command.trail_arn = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/{TRAIL}"
    command.is_verbose = True
    command.start_time = FIRST - HOUR
    command.end_time = FIRST + 24 * HOUR
    command.s3_bucket, command.s3_prefix = BUCKET, None
    command.s3_client_provider = command.cloudtrail_client = client
    command.organization_client = None
    command._source_region = REGION
    command.account_id = ACCOUNT
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        command._call()
    found = {}
    for line in said.getvalue().splitlines():
        if line.startswith("No log files were delivered"):
            found["gap"] = line
        parts = line.removeprefix("(backfill) ").split("\t")
        if len(parts) == 3:
            found[parts[1].removeprefix(f"s3://{BUCKET}/")] = parts[2].removeprefix("INVALID: ")
    return found


# What trailhound finds.


def ours(trailhound: pathlib.Path, bucket: Bucket, folder: pathlib.Path) -> tuple:
    """Its verdicts in the same form, and its word for each."""
    copy_of = folder / "copy"
    for key, content in bucket.objects.items():
        path = copy_of / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        if key in bucket.metadata:
            head = {"Metadata": bucket.metadata[key]}
            path.with_name(path.name + ".meta.json").write_text(json.dumps(head))
    keys = folder / "keys.json"
    keys.write_text(json.dumps({"PublicKeyList": bucket.keys}))
    # The CLI finds whatever was moved invalid.
    command = [trailhound, "verify", copy_of, "--public-keys", keys, "--strict-path", "--json",
               "--verbose"]
    environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    if run.returncode not in (0, 1):
        sys.exit(f"trailhound ended with {run.returncode}: {run.stderr.decode()}")
    report = json.loads(run.stdout)
    found, words = {}, {}
    for row in report["digest_files"] + report["log_files"]:
        place = row["uri"] or row["s3"] or f"the hour to {row['to']}"
        key = place.removeprefix(f"{copy_of.resolve()}/").removeprefix(f"s3://{BUCKET}/")
        found[key], words[key] = row["reason"] or "valid", row["status"]
    for gap in report["gaps"]:
        found["gap"] = f"No log files were delivered by CloudTrail between {gap['from']} and {gap['to']}"
    return found, words, run.returncode


# The scenarios: each gives a bucket, and by key what differs on purpose as (theirs, ours).

NOT_LOOKED_AT = None
UNPROVEN = "the digest that names it is not valid"


def vouched_by(bucket: Bucket, *hours: int) -> dict:
    """The CLI does not look at the log files of digests that are not valid."""
    return {log: (NOT_LOOKED_AT, UNPROVEN) for hour in hours for log in bucket.logs[hour]}


def undigested(bucket: Bucket, *hours: int) -> dict:
    why = "there is no digest of its time"
    return {log: (NOT_LOOKED_AT, why) for hour in hours for log in bucket.logs[hour]}


def scenarios(one: Key, other: Key):
    """(name, bucket, beyond) of each."""
    base = whole([one] * HOURS)

    def fresh() -> Bucket:
        return copy.deepcopy(base)

    yield "a whole chain", fresh(), {}
    yield "a key that changes", whole([one] * 3 + [other] * 3), {}

    bucket = fresh()
    key = bucket.logs[1][0]
    content = bytearray(bucket.objects[key])
    content[-6] ^= 1
    bucket.objects[key] = bytes(content)
    yield "a flipped byte", bucket, {}

    bucket = fresh()
    bucket.objects[bucket.logs[1][0]] = gzip.compress(b'{"Records":[]}')
    yield "a replaced log", bucket, {}

    bucket = fresh()
    key = bucket.logs[1][0]
    bucket.objects[key] = bucket.objects[key][:40]
    yield "a log cut in its middle", bucket, {}

    bucket = fresh()
    key = bucket.logs[1][0]
    bucket.objects[key] = bucket.objects[key][:-3]
    yield "a log cut in its trailer", bucket, {key: ("valid", "invalid format")}

    bucket = fresh()
    bucket.remove(bucket.logs[1][0])
    yield "a removed log", bucket, {}

    for what, appended in (("member", gzip.compress(b"{}")), ("garbage", b"x"), ("zeros", b"\0")):
        bucket = fresh()
        bucket.objects[bucket.logs[1][0]] += appended
        yield f"appended: {what}", bucket, {}

    bucket = fresh()
    planted = bucket.log(FIRST + 3 * HOUR, 9)["s3Object"]
    why = "no digest mentions it, though there are digests of its time"
    yield "an unreferenced log", bucket, {planted: (NOT_LOOKED_AT, why)}

    bucket = fresh()
    bucket.remove(bucket.digests[3]["key"])
    yield "a removed digest", bucket, undigested(bucket, 3)

    bucket = fresh()
    for hour in (3, 4):
        bucket.remove(bucket.digests[hour]["key"])
    beyond = {"the hour to 2024-03-01T04:05:31Z": (NOT_LOOKED_AT, "not found")}
    yield "two removed digests", bucket, beyond | undigested(bucket, 3, 4)

    bucket = fresh()
    bucket.remove(bucket.digests[0]["key"])
    yield "the removed start", bucket, undigested(bucket, 0)

    bucket = fresh()
    digest = bucket.digests[3]
    edited = bucket.text(digest["key"]).replace(digest["logs"][0]["hashValue"].encode(), b"0" * 64)
    bucket.objects[digest["key"]] = gzip.compress(edited)
    beyond = vouched_by(bucket, 3)
    beyond[bucket.logs[3][0]] = (NOT_LOOKED_AT, f"{UNPROVEN}, and the hash value doesn't match")
    yield "an edited digest", bucket, beyond

    for what, content in (("cut", base.objects[base.digests[3]["key"]][:50]), ("no gzip", b"{"),
                          ("no JSON", gzip.compress(b"hello")), ("no keys", gzip.compress(b"{}"))):
        bucket = fresh()
        bucket.objects[bucket.digests[3]["key"]] = content
        beyond = {log: (NOT_LOOKED_AT, why) for log in bucket.logs[3]}
        yield f"a digest damaged: {what}", bucket, beyond

    bucket = fresh()
    key = bucket.digests[3]["key"]
    bucket.objects[key] += b"x"
    trailing = "unexpected data after end of compressed stream"
    beyond = {key: ("valid", trailing)} | {log: ("valid", why) for log in bucket.logs[3]}
    yield "appended to a digest", bucket, beyond

    # Signed by a key that CloudTrail does not list.
    bucket = fresh()
    old = bucket.digests[3]
    forged = bucket.digest(other, old["end"], old["logs"], bucket.digests[2])
    differs = "is not the digest that the next one of its chain names: its hash differs"
    key_missing = f"public key not found in region {REGION} for fingerprint {other.fingerprint}"
    yield "forged by another key", bucket, {forged["key"]: (key_missing, differs)} | vouched_by(bucket, 3)

    # Signed by a key that it lists, so that only the next digest tells.
    bucket = fresh()
    forged = bucket.digest(one, old["end"], [], bucket.digests[2])
    beyond = {forged["key"]: ("valid", differs)}
    beyond |= {log: (NOT_LOOKED_AT, why) for log in bucket.logs[3]}
    yield "forged by a listed key", bucket, beyond

    # Its signature is another's; what it says is genuine.
    bucket = fresh()
    bucket.metadata[bucket.digests[3]["key"]]["signature"] = other.sign(b"anything")
    yield "a forged signature", bucket, vouched_by(bucket, 3)

    bucket = fresh()
    key = bucket.digests[5]["key"]
    del bucket.metadata[key]
    unsigned = "signature not supplied: it is in the metadata of the object in S3"
    beyond = {key: ("signature verification failed", unsigned)} | vouched_by(bucket, 5)
    yield "the newest without metadata", bucket, beyond

    bucket = fresh()
    key = bucket.digests[3]["key"]
    del bucket.metadata[key]
    beyond = {key: ("signature verification failed", "valid")}
    beyond |= {log: (NOT_LOOKED_AT, "valid") for log in bucket.logs[3]}
    yield "one in the middle without metadata", bucket, beyond

    # Another hour's digest, put where one was.
    bucket = fresh()
    key = bucket.digests[3]["key"]
    bucket.objects[key] = bucket.objects[bucket.digests[1]["key"]]
    bucket.metadata[key] = bucket.metadata[bucket.digests[1]["key"]]
    yield "a digest put in another's place", bucket, undigested(bucket, 3)

    bucket = fresh()
    bucket.keys = [other.entry()]
    yield "the wrong keys", bucket, vouched_by(bucket, *range(HOURS))

    wrapped = one.wrapped()
    bucket = Bucket([wrapped])
    logs = [bucket.log(FIRST, n) for n in range(2)]
    digest = bucket.digest(one, FIRST, logs, fingerprint=wrapped["Fingerprint"])
    unable = f"Unable to load PKCS #1 key with fingerprint {wrapped['Fingerprint']}"
    beyond = {digest["key"]: (unable, "valid")}
    beyond |= {log["s3Object"]: (NOT_LOOKED_AT, "valid") for log in logs}
    yield "a key as SubjectPublicKeyInfo", bucket, beyond

    bucket = fresh()
    late = [bucket.log(FIRST + HOUR, 20 + n) for n in range(2)]
    first = bucket.digest(one, FIRST + HOUR, late[:1], backfill=True)
    bucket.digest(one, FIRST + 4 * HOUR, late[1:], previous=first, backfill=True)
    yield "back-fill", bucket, {}
    bucket = copy.deepcopy(bucket)
    bucket.remove(late[0]["s3Object"])
    bucket.remove(first["key"])
    yield "back-fill without its start", bucket, {}

    bucket = whole([one] * 2)
    logs = [bucket.log(FIRST + 5 * HOUR, n) for n in range(2)]
    bucket.digest(one, FIRST + 5 * HOUR, logs)
    yield "a gap", bucket, {}


def agree(name: str, bucket: Bucket, beyond: dict, found: tuple) -> int:
    """Compares; gives how many verdicts both have."""
    cli, (mine, words, code) = theirs(bucket), found
    wrong, same = [], 0
    for key in sorted(cli.keys() | mine.keys()):
        pair = (cli.get(key), mine.get(key))
        if key in beyond:
            if beyond[key] != pair:
                wrong.append(f"  {key}\n    {pair}, and not {beyond[key]}")
        elif pair[0] != pair[1]:
            wrong.append(f"  {key}\n    the CLI: {pair[0]}\n    trailhound: {pair[1]}")
        else:
            same += 1
            unproven = pair[0].startswith(UNVERIFIABLE)
            word = "valid" if pair[0] == "valid" else "unverifiable" if unproven else "invalid"
            if key in words and words[key] != word:
                wrong.append(f"  {key}: {words[key]}, and not {word}")
    missing = [key for key in beyond if key not in cli and key not in mine]
    wrong += [f"  {key}: neither has a verdict" for key in missing]
    is_clean = all(word == "valid" for word in words.values())
    if is_clean != (code == 0):
        wrong.append(f"  the exit code is {code}")
    if wrong:
        sys.exit("\n".join([f"{name}: the two disagree:", *wrong]))
    return same


def main() -> None:
    """Judges each scenario by both."""
    trailhound = measure.binary()
    one, other = Key(), Key()
    n_scenarios = n_same = n_beyond = 0
    for name, bucket, beyond in scenarios(one, other):
        with tempfile.TemporaryDirectory(prefix="validate-") as folder:
            found = ours(trailhound, bucket, pathlib.Path(folder))
            same = agree(name, bucket, beyond, found)
        n_scenarios, n_same, n_beyond = n_scenarios + 1, n_same + same, n_beyond + len(beyond)
        print(f"{name}: {same} verdicts agree, {len(beyond)} go beyond")
    print(f"{n_scenarios} trails: {n_same} verdicts agree, {n_beyond} go beyond on purpose")


if __name__ == "__main__":
    # The machine may have another one.
    if pathlib.Path(sys.prefix) != measure.cache_folder() / "awscli":
        reexecute_with_awscli()
    main()
