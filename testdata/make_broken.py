#!/usr/bin/env python3
"""Writes testdata/broken: one file for each way in which evidence is damaged, hostile or not a log.

    python3 testdata/make_broken.py [--check]

Beside the files it writes tests/oracle/broken.json: what an ingest of each file alone must report.
The expectations are written by hand in `files`, not computed.
"""

import copy
import json
import sys
from datetime import timedelta
from pathlib import Path

from cloudtrail import User, at, delivery, dumps, guid, record
from writing import gz, write_or_check, zipped

MIB = 1 << 20
ALICE = User("111122223333", "alice", "AKIAIOSFODNN7EXAMPLE")


def rec(n: int, **changes) -> dict:
    """A plain record; the n-th minute of the day."""
    r = record(ALICE, at("14 10:00:00") + timedelta(minutes=n), "s3:ListBuckets", ip="198.51.100.17",
               agent="aws-cli/2.15.46", request={"Host": "s3.us-east-1.amazonaws.com"}, label=n)
    return r | changes


def recs(*numbers: int) -> list[dict]:
    return [rec(n) for n in numbers]


def raw(*texts: str | bytes) -> bytes:
    """A delivery file of records given as text."""
    return b'{"Records":[' + b",".join(t.encode() if isinstance(t, str) else t for t in texts) + b"]}"


def with_text(r: dict, marker: str, text: str | bytes) -> bytes:
    """The record's JSON with the string `marker` replaced by raw bytes."""
    data = dumps(r).encode()
    assert data.count(marker.encode()) == 1
    return data.replace(marker.encode(), text.encode() if isinstance(text, str) else text)


def outcome(name: str, read=0, written=0, duplicates=0, rejected=0, **more) -> dict:
    assert read == written + duplicates + rejected
    return {"outcome": name, "read": read, "written": written, "duplicates": duplicates,
            "rejected": rejected} | more


def ingested(*counts, **more):
    return outcome("ingested", *counts, **more)


def skipped(*counts, **more):
    return outcome("skipped", *counts, **more)


def other(kind: str):
    return outcome("other", kind=kind)


def cut(data: bytes, end: int) -> bytes:
    assert 0 < end < len(data)
    return data[:end]


def truncations() -> dict:
    whole = delivery(recs(1, 2, 3, 4, 5))
    fourth = whole.index(dumps(rec(4)).encode())
    # Stored, not deflated, so that the cut falls at the same place of the text with every zlib.
    stored = gz(whole, level=0)
    at_fourth = stored.index(dumps(rec(4)).encode())
    archive = zipped([("one.json", delivery(recs(1, 2)))])
    return {
        "truncated.json": (cut(whole, fourth + 100), skipped(4, 3, 0, 1, reject="truncated")),
        "truncated-between.json": (cut(whole, fourth), skipped(3, 3)),
        "truncated.json.gz": (cut(stored, at_fourth + 100), skipped(4, 3, 0, 1, reject="truncated")),
        "truncated-lines.jsonl": (cut("\n".join(map(dumps, recs(1, 2, 3))).encode(), 1900),
                                  skipped(3, 2, 0, 1, reject="truncated")),
        "truncated.zip": (cut(archive, len(archive) - 40), skipped()),
    }


def not_logs() -> dict:
    digest = {
        "awsAccountId": "111122223333", "digestStartTime": "2024-05-14T09:00:00Z",
        "digestEndTime": "2024-05-14T10:00:00Z", "digestS3Bucket": "example-bucket",
        "digestS3Object": "AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2024/05/14/x.json.gz",
        "digestPublicKeyFingerprint": "0123456789abcdef0123456789abcdef",
        "digestSignatureAlgorithm": "SHA256withRSA", "newestEventTime": None, "oldestEventTime": None,
        "previousDigestS3Bucket": None, "previousDigestS3Object": None, "previousDigestHashValue": None,
        "previousDigestHashAlgorithm": None, "previousDigestSignature": None, "logFiles": []}
    notification = {"Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1",
        "eventTime": "2024-05-14T10:00:00.000Z", "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "AWS:AROAEXAMPLE"},
        "requestParameters": {"sourceIPAddress": "198.51.100.17"},
        "responseElements": {"x-amz-request-id": "EXAMPLE123456789"},
        "s3": {"s3SchemaVersion": "1.0", "configurationId": "example", "bucket": {
            "name": "example-bucket", "ownerIdentity": {"principalId": "EXAMPLE"},
            "arn": "arn:aws:s3:::example-bucket"},
            "object": {"key": "AWSLogs/x.json.gz", "size": 1024, "eTag": "0123456789abcdef0123456789abcdef",
                       "sequencer": "0A1B2C3D4E5F678901"}}}]}
    test_event = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2024-05-14T10:00:00.000Z",
                  "Bucket": "example-bucket", "RequestId": "EXAMPLE123456789", "HostId": "EXAMPLE"}
    return {
        "digest.json.gz": (gz(dumps(digest).encode()), other("digest")),
        "s3-notification.json": (dumps(notification).encode(), other("S3 event notification")),
        "s3-test-event.json": (dumps(test_event).encode(), other("S3 test event")),
        "prose.json": (b"Dear team,\n\nthe logs of Tuesday are attached.\n", other("text")),
        "no-records.json": (b'{"hello":"world","list":[1,2,3]}\n', other("JSON")),
        "empty.json": (b"", other("empty")),
        "empty-records.json": (b'{"Records":[]}', ingested()),
        "not-json.json": (b'{"Records":[{"eventVersion" = "1.08" so this is not json]}', skipped(1, 0, 0, 1)),
    }


def limits() -> dict:
    deep = with_text(rec(2, requestParameters="DEEP"), '"DEEP"', '{"a":' * 50_000 + "1" + "}" * 50_000)
    keys = rec(2, requestParameters={f"k{n}": 0 for n in range(21_000)})
    long = rec(2, requestParameters={"text": "abcdefghij" * 20_000})
    too_long = rec(2, requestParameters={"text": "abcdefghij" * (9 * MIB // 10)})
    one, two, three = map(dumps, recs(1, 2, 3))
    inside = with_text(rec(3, userAgent="BOMB"), "BOMB", b" " * (80 * MIB))
    return {
        "deep.json.gz": (gz(raw(one, deep, three)), ingested(3, 2, 0, 1, reject="nested too deep")),
        "deep-file.json.gz": (gz(b"[" * 200_000), skipped(1, 0, 0, 1, reject="truncated")),
        "many-keys.json.gz": (gz(raw(one, dumps(keys), three)), ingested(3, 2, 0, 1, reject="too many keys")),
        "long-record.json.gz": (gz(raw(one, dumps(long), three)), ingested(3, 3)),
        "too-long-record.json.gz": (gz(raw(one, dumps(too_long), three)),
                                    ingested(3, 2, 0, 1, reject="record too long")),
        # 300 MiB of spaces between the second record and the third.
        "bomb.json.gz": (gz(raw(one, two, b" " * (300 * MIB) + three.encode())), skipped(2, 2, reason="inflat")),
        # The limit cuts the third record, which is therefore not read.
        "bomb-in-string.json.gz": (gz(raw(one, two, inside)), skipped(2, 2, reason="inflat")),
        "bomb.zip": (zipped([("a.json", raw(one, two, b" " * (80 * MIB) + three.encode()))]),
                     skipped(2, 2, reason="inflat")),
    }


def texts() -> dict:
    control = with_text(rec(2, userAgent="CONTROL"), "CONTROL", bytes(range(1, 32)).replace(b"\n", b""))
    escaped = with_text(rec(2, userAgent="CONTROL"), "CONTROL",
                        "".join(f"\\u{n:04x}" for n in range(32)) + "\\u007f\\u0085\\u2028")
    hostile = "".join([
        r"\u001b]0;owned\u0007\u001b[2J\u001b[31m=cmd|' /C calc'!A0",
        r"\u202egnp.exe\u2066 <script>alert(1)</script> | `rm -rf` \r\n+1+1 @SUM(1)"])
    surrogates = with_text(rec(2, userAgent="LONE", requestParameters={"LONE-KEY": "v"}), '"LONE"',
                           r'"\ud83d lone \udc00 reversed \udc00\ud83d"').replace(b"LONE-KEY", rb"\ud83d")
    numbers = with_text(rec(2, requestParameters={"n": "NUMBERS"}), '"NUMBERS"', "[" + ",".join([
        "9007199254740993", "18446744073709551616", "123456789012345678901234567890", "-0", "1.0", "1.10",
        "1E400", "1e-400", "0.1000000000000000055511151231257827"]) + "]")
    return {
        "not-utf8.json": (raw(dumps(rec(1)), with_text(rec(2, userAgent="BYTES"), "BYTES", b"caf\xe9 \xff\xfe"),
                              dumps(rec(3))), ingested(3, 2, 0, 1, reject="not UTF-8")),
        # RFC 8259 forbids them; the text is clear all the same.
        "control-characters.json": (raw(dumps(rec(1)), control, dumps(rec(3))), ingested(3, 3)),
        "control-escaped.json": (raw(dumps(rec(1)), escaped), ingested(2, 2)),
        "lone-surrogates.json": (raw(dumps(rec(1)), surrogates), ingested(2, 2)),
        "big-integers.json": (raw(dumps(rec(1)), numbers), ingested(2, 2)),
        "hostile.json": (raw(with_text(rec(1, userAgent="HOSTILE"), "HOSTILE", hostile),
                             dumps(rec(2, userAgent="=HYPERLINK(\"https://example.com\",\"click\")")),
                             dumps(rec(3, userAgent="\u202e\u2066bidi\u2069 zero\u200bwidth"))), ingested(3, 3)),
        "utf16.json": ("\ufeff".encode("utf-16-le") + delivery(recs(1, 2)).decode().encode("utf-16-le"),
                       ingested(2, 2)),
        "bom.json": (b"\xef\xbb\xbf" + delivery(recs(1, 2)), ingested(2, 2)),
        "crlf.jsonl": ("\r\n".join(map(dumps, recs(1, 2, 3))).encode() + b"\r\n", ingested(3, 3)),
        "damaged-line.jsonl": ("\n".join([dumps(rec(1)), dumps(rec(2))[:-30] + "@@@", dumps(rec(3))]).encode()
                               + b"\n", ingested(3, 2, 0, 1, reject="not JSON")),
    }


def contents() -> dict:
    doubled = with_text(rec(2, awsRegion="REGION", requestParameters="PARAMETERS"), '"awsRegion":"REGION"',
                        '"awsRegion":"us-east-1","awsRegion":"eu-central-1"').replace(
        b'"PARAMETERS"', b'{"a":1,"a":2,"b":{"c":1,"c":1}}').replace(
        b'"type":"IAMUser"', b'"type":"Root","type":"IAMUser"')
    types = rec(2, readOnly="true", managementEvent="true", requestParameters="{\"as\":\"text\"}", resources="",
                responseElements="", userAgent=["a", "b"], sourceIPAddress={"ip": "198.51.100.17"},
                sessionCredentialFromConsole=True, eventVersion=1.08, tlsDetails="TLSv1.3",
                recipientAccountId=111122223333)
    context = {"attributes": {"creationDate": "20240514T090000Z", "mfaAuthenticated": True},
               "sessionIssuer": {}, "webIdFederationData": {}}
    types["userIdentity"]["sessionContext"] = context
    nulls = rec(2, errorCode=None, requestParameters={}, resources=[], addendum={}, additionalEventData=None,
                tlsDetails=None)
    nulls["userIdentity"]["sessionContext"] = {"sessionIssuer": {}, "attributes": None}
    unknown = rec(2, hostname="example.com", newField={"nested": [1, 2.50]}, tlsDetails=rec(2)["tlsDetails"] | {
        "keyExchange": "x25519", "somethingNew": True})
    unknown["userIdentity"]["accesKeyId"] = "AKIAIOSFODNN7EXAMPLE"

    def lower(value):
        return {k.lower(): lower(v) if k == "userIdentity" else v for k, v in value.items()}

    first = rec(1)
    turned = {k: first[k] for k in reversed(first)}
    nameless = [{k: v for k, v in rec(n).items() if k != "eventID"} for n in (1, 1, 2)]
    changed = copy.deepcopy(first) | {"userAgent": "something else"}
    two_members = gz(delivery(recs(1, 2)))
    return {
        "duplicate-keys.json": (raw(dumps(rec(1)), doubled), ingested(2, 2)),
        "types.json": (raw(dumps(rec(1)), dumps(types)), ingested(2, 2)),
        "nulls.json": (raw(dumps(rec(1)), dumps(nulls)), ingested(2, 2)),
        "unknown-fields.json": (raw(dumps(rec(1)), dumps(unknown)), ingested(2, 2)),
        "lower-case.json": (raw(dumps(lower(rec(1))), dumps(rec(2))), ingested(2, 2)),
        # An array holds elements; this one none.
        "not-records.json": (raw(dumps(rec(1)), "42", '"text"', "null", "{}", '{"hello":"world"}', "[]",
                                 dumps(rec(2))), ingested(7, 2, 0, 5, reject="not a CloudTrail record")),
        "duplicate-equal.json": (raw(dumps(first), json.dumps(first, indent=1), dumps(turned)),
                                 ingested(3, 1, 2)),
        "duplicate-different.json": (raw(dumps(first), dumps(changed), dumps(first)), ingested(3, 2, 1)),
        "without-ids.json": (raw(*map(dumps, nameless)), ingested(3, 2, 1)),
        "addendum.json": (raw(dumps(first), dumps(first | {"addendum": {
            "reason": "UPDATED_DATA", "updatedFields": "userAgent", "originalRequestID": first["requestID"],
            "originalEventID": first["eventID"]}, "eventID": guid("addendum")})), ingested(2, 2)),
        "appended.json.gz": (two_members + gz(delivery(recs(3, 4))), ingested(4, 4, appended=2)),
        "trailing-data.json.gz": (two_members + b"not a gzip member", skipped(2, 2)),
        "gzip-under.json": (two_members, ingested(2, 2)),
        "plain-under.json.gz": (delivery(recs(1, 2)), ingested(2, 2)),
        "members-after.json": (delivery(recs(1, 2))[:-1] + b',"Owner":"example","Note":{"a":[1,2]}}',
                               ingested(2, 2)),
    }


def files() -> dict:
    return truncations() | not_logs() | limits() | texts() | contents()


def main() -> int:
    here, check = Path(__file__).resolve().parent, "--check" in sys.argv[1:]
    table = files()
    faults = write_or_check(here / "broken", {n: data for n, (data, _) in table.items()}, check)
    expected = json.dumps({n: e for n, (_, e) in sorted(table.items())}, indent=2, ensure_ascii=False) + "\n"
    target = here.parent / "tests" / "oracle" / "broken.json"
    if not check:
        target.write_text(expected)
    elif target.read_text() != expected:
        print(f"differs: {target}", file=sys.stderr)
        faults = 1
    return faults


if __name__ == "__main__":
    sys.exit(main())
