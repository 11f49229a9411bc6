#!/usr/bin/env python3
"""Writes testdata/shapes: the same six records in every shape in which CloudTrail reaches people.

    python3 testdata/make_shapes.py [--check]
"""

import base64
import csv
import hashlib
import io
import json
import sys
from datetime import datetime, timezone
from pathlib import Path

from cloudtrail import (
    Role, Session, User, at, delivery, dumps, guid, iso, record, us_date, word,
)
from writing import gz, tarred, write_or_check, zipped

ACCOUNT = "111122223333"
ALICE = User(ACCOUNT, "alice", "AKIAIOSFODNN7EXAMPLE")
DEPLOY = Role(ACCOUNT, "deploy")


def six() -> list[dict]:
    """Six records that between them hold what makes shapes hard: quotes, escapes, U+202F, nesting."""
    login = at("14 09:00:00")
    console = ALICE.session(login, True)
    session = Session(DEPLOY, "alice", at("14 09:05:10"))
    key = "AKIAI44QH8DHBEXAMPLE"
    bucket, obj = "example-bucket", "reports/2024 \"Q1\"/año.csv"
    return [
        record(ALICE.signing_in(), login, "signin:ConsoleLogin", ip="198.51.100.17", read=False,
               kind="AwsConsoleSignIn", version="1.08", account=ACCOUNT,
               agent="Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",
               response={"ConsoleLogin": "Success"},
               more={"additionalEventData": {"LoginTo": "https://console.aws.amazon.com/console/home",
                                             "MobileVersion": "No", "MFAUsed": "Yes",
                                             "MFAIdentifier": f"arn:aws:iam::{ACCOUNT}:mfa/alice"},
                     "host": "signin.aws.amazon.com"}),
        record(console, at("14 09:01:30"), "iam:CreateAccessKey", ip="198.51.100.17", version="1.10",
               agent="Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",
               request={"userName": "bob"}, read=False,
               response={"accessKey": {"accessKeyId": key, "status": "Active", "userName": "bob",
                                       "createDate": us_date(at("14 09:01:30"))}},
               more={"sessionCredentialFromConsole": "true"}),
        record(ALICE, session.created, "sts:AssumeRole", ip="203.0.113.64", version="1.08",
               agent="aws-cli/2.15.46 \"quoted\" back\\slash tab\there é 漢 😀",
               request={"roleArn": DEPLOY.arn, "roleSessionName": "alice", "durationSeconds": 3600},
               response=session.credentials(),
               more={"resources": [{"accountId": ACCOUNT, "type": "AWS::IAM::Role", "ARN": DEPLOY.arn}]}),
        record(session, at("14 09:06:00"), "iam:PutRolePolicy", ip="2001:db8::17", agent="Boto3/1.34.98",
               read=False, error=("AccessDenied", f"User: {session.arn} is not authorized to perform: "
                                  "iam:PutRolePolicy on resource: role deploy because no permissions boundary "
                                  "allows the iam:PutRolePolicy action"),
               request={"roleName": "deploy", "policyName": "all", "policyDocument": json.dumps(
                   {"Version": "2012-10-17", "Statement": [
                       {"Effect": "Allow", "Action": "*", "Resource": "*"}]}, indent=2)}),
        record(session, at("14 09:07:45"), "s3:GetObject", ip="2001:db8::17", agent="[Boto3/1.34.98]",
               category="Data", version="1.11",
               request={"bucketName": bucket, "Host": f"{bucket}.s3.us-east-1.amazonaws.com", "key": obj},
               more={"additionalEventData": {"SignatureVersion": "SigV4", "bytesTransferredIn": 0.0,
                                             "bytesTransferredOut": 1371.0, "x-amz-id-2": "EXAMPLE+/="},
                     "resources": [{"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{bucket}/{obj}"},
                                   {"accountId": ACCOUNT, "type": "AWS::S3::Bucket",
                                    "ARN": f"arn:aws:s3:::{bucket}"}],
                     "vpcEndpointId": "vpce-0123456789abcdef0"}),
        record({"accountId": ACCOUNT, "invokedBy": "kms.amazonaws.com"}, at("14 09:10:00"), "kms:RotateKey",
               account=ACCOUNT, ip="kms.amazonaws.com", agent="kms.amazonaws.com", read=False,
               kind="AwsServiceEvent", version="1.11",
               more={"serviceEventDetails": {"rotationType": "AUTOMATIC", "keyOrigin": "AWS_KMS",
                                             "keyId": guid("key")}}),
    ]


def lookup(r: dict) -> dict:
    """An element of `aws cloudtrail lookup-events`."""
    who = r["userIdentity"]
    out = {"EventId": r["eventID"], "EventName": r["eventName"],
           "ReadOnly": str(r["readOnly"]).lower(), "EventTime": r["eventTime"].replace("Z", "+00:00"),
           "EventSource": r["eventSource"], "Username": who.get("userName", "alice"),
           "Resources": [{"ResourceType": x["type"], "ResourceName": x["ARN"]} for x in r.get("resources", [])],
           "CloudTrailEvent": dumps(r)}
    if "accessKeyId" in who:
        out["AccessKeyId"] = who["accessKeyId"]
    return out


def eventbridge(r: dict) -> dict:
    kind = {"AwsApiCall": "AWS API Call via CloudTrail", "AwsServiceEvent": "AWS Service Event via CloudTrail",
            "AwsConsoleSignIn": "AWS Console Sign In via CloudTrail"}[r["eventType"]]
    return {"version": "0", "id": guid("bridge", r["eventID"]), "detail-type": kind,
            "source": "aws." + r["eventSource"].split(".")[0], "account": r["recipientAccountId"],
            "time": r["eventTime"], "region": r["awsRegion"], "resources": [], "detail": r}


def millis(r: dict) -> int:
    t = datetime.strptime(r["eventTime"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    return int(t.timestamp() * 1000)


def log_event(n: int, r: dict) -> dict:
    return {"id": f"{38264721634872650000000000000000000000000000000000000000 + n}", "timestamp": millis(r),
            "message": dumps(r)}


def subscription(rs: list[dict], first: int) -> dict:
    return {"messageType": "DATA_MESSAGE", "owner": ACCOUNT, "logGroup": "aws-cloudtrail-logs",
            "logStream": f"{ACCOUNT}_CloudTrail_us-east-1", "subscriptionFilters": ["everything"],
            "logEvents": [log_event(first + n, r) for n, r in enumerate(rs)]}


CONTROL = {"messageType": "CONTROL_MESSAGE", "owner": "CloudwatchLogs", "logGroup": "", "logStream": "",
           "subscriptionFilters": [], "logEvents": [{"id": "", "timestamp": 1715677200000, "message":
                                                     "CWL CONTROL MESSAGE: Checking health of destination Firehose."}]}


def siem(r: dict) -> dict:
    """As OpenSearch's ingestion wraps it."""
    return {"@timestamp": iso(at("14 10:00:00"))[:-1] + ".000Z",
            "event": {"result": "ACCEPT", "name": "cloud_trail", "domain": "cloudtrail"},
            "cloud": {"provider": "aws", "account": {"id": ACCOUNT}, "region": r["awsRegion"]},
            "aws": {"cloudtrail": r}}


def logstash(r: dict) -> dict:
    """Logstash's json codec and date filter: `eventTime` is gone."""
    out = {k: v for k, v in r.items() if k != "eventTime"}
    return out | {"@version": "1", "@timestamp": r["eventTime"][:-1] + ".000Z"}


def table(header: list[str], rows: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([header, *rows])
    return out.getvalue().encode()


def build() -> dict[str, bytes]:
    rs = six()
    lines = [dumps(r) for r in rs]
    plain, pretty = delivery(rs), json.dumps({"Records": rs}, indent=2, ensure_ascii=False).encode() + b"\n"
    members = [("AWSLogs/first.json.gz", gz(delivery(rs[:3]))), ("AWSLogs/second.json", delivery(rs[3:])),
               ("AWSLogs/README.txt", b"Exported for the case file.\n")]
    crc = [base64.b64encode(hashlib.sha256(line.encode()).digest()).decode() for line in lines]
    out = {
        "delivery.json": plain,
        "delivery.json.gz": gz(plain),
        "delivery-pretty.json": pretty,
        "array.json": ("[" + ",".join(lines) + "]").encode(),
        "array-pretty.json": json.dumps(rs, indent=4, ensure_ascii=False).encode() + b"\n",
        "lines.jsonl": ("\n".join(lines) + "\n").encode(),
        "concatenated.json": "".join(lines).encode(),
        "concatenated-pretty.json": "\n".join(json.dumps(r, indent=2, ensure_ascii=False) for r in rs).encode(),
        "lookup-events.json": json.dumps({"Events": [lookup(r) for r in rs], "NextToken": word("ABCdef0123", 40, "next")},
                                         indent=4).encode(),
        "lookup-events.jsonl": ("\n".join(dumps(lookup(r)) for r in rs) + "\n").encode(),
        "eventbridge.jsonl": ("\n".join(dumps(eventbridge(r)) for r in rs) + "\n").encode(),
        "eventbridge-array.json": json.dumps([eventbridge(r) for r in rs], indent=2, ensure_ascii=False).encode(),
        "cloudwatch-subscription.json": (dumps(CONTROL) + dumps(subscription(rs[:4], 0)) + dumps(
            subscription(rs[4:], 4))).encode(),
        "cloudwatch-subscription.gz": gz(dumps(subscription(rs[:4], 0)).encode()) + gz(
            dumps(subscription(rs[4:], 4)).encode()),
        "cloudwatch-export.gz": gz("".join(
            f"{r['eventTime'][:-1]}.000Z {line}\n" for r, line in zip(rs, lines)).encode()),
        "firehose.json": dumps({"events": [log_event(n, r) for n, r in enumerate(rs)]}).encode(),
        "siem.json": json.dumps([siem(r) for r in rs], indent=2, ensure_ascii=False).encode(),
        "siem.jsonl": ("\n".join(dumps(siem(r)) for r in rs) + "\n").encode(),
        "lake-results.csv": table(
            ["eventID", "eventTime", "eventJson", "eventJsonChecksum"],
            [[r["eventID"], r["eventTime"].replace("T", " ")[:-1] + ".000", line, sum_]
             for r, line, sum_ in zip(rs, lines, crc)]),
        "search-export.csv": table(["_time", "host", "_raw"], [[r["eventTime"], "forwarder", line]
                                                                for r, line in zip(rs, lines)]),
        "logstash.jsonl": ("\n".join(dumps(logstash(r)) for r in rs) + "\n").encode(),
        "delivery.zip": zipped(members),
        "delivery.tar": tarred(members),
        "delivery.tar.gz": gz(tarred(members)),
    }
    for n, (r, line) in enumerate(zip(rs, lines), 1):
        out[f"object/{n}.json"] = line.encode() if n % 2 else json.dumps(r, indent=2, ensure_ascii=False).encode()
    return out


if __name__ == "__main__":
    root = Path(__file__).resolve().parent / "shapes"
    sys.exit(write_or_check(root, build(), "--check" in sys.argv[1:]))
