#!/usr/bin/env python3
"""Derives the literals that tests/it/shared_data.rs compares with, from the files of ../shared/data.

    python3 tests/oracle/shared_data.py            write tests/oracle/shared_data.json
    python3 tests/oracle/shared_data.py --check    say whether the committed one still is right

It never calls trailhound. One entry for each folder as if it were ingested alone, and one, `.`, for
all of them in one ingest.
"""

import json
import sys
from pathlib import Path

from reading import literals, read

# What the files that are no CloudTrail are, from their publishers' names and by eye: a word that
# the program's name for them must hold.
KINDS = [
    ("LICENSE", "text"), ("NOTICE", "text"), ("README.md", "text"),
    ("ec2-duty-event", "GuardDuty"), ("iam-duty-event", "GuardDuty"),
    ("event-asg-instance-failed", "EventBridge"), ("event-instance-state", "EventBridge"),
    ("event-scheduled", "EventBridge"), ("event-phd-ec2-retire", "EventBridge"),
    ("event-config-rule", "Config rule"), ("sqs-discover", "Config"), ("event-securityhub", "Security Hub"),
    ("aws_waf/", "WAF"), ("amazon_networkfirewall/", "Network Firewall"), ("amazon_elb/", "ELB"),
    ("aws_elb_access.log", "ELB"), ("amazon_rds/raw.log", "RDS"), ("amazon_s3/raw.log", "S3"),
    ("amazon_cloudfront/raw.log", "CloudFront"), ("HoneyBucketLogs.csv", "separated values"),
    ("traildiscover/", "empty"),
    # Wrapped copies of other logs' lines, some filed under a wrong name: any name will do.
    ("opensearch/", ""),
]

HERE = Path(__file__).resolve().parent
TARGET = HERE / "shared_data.json"


def name_others(entry: dict) -> dict:
    named = {name: next(word for part, word in KINDS if part in name) for name in entry["other"]}
    return entry | {"other": named}


def main() -> int:
    data = HERE.parent.parent.parent / "shared" / "data"
    if not data.is_dir():
        print(f"skipped: no {data}", file=sys.stderr)
        return 0
    everything, out = [], {}
    for folder in sorted(data.iterdir()):
        files = read(folder, data)
        everything += files
        if folder.is_dir():
            out[folder.name] = name_others(literals(files))
    out["."] = name_others(literals(everything))
    text = json.dumps(out, indent=1, ensure_ascii=False, sort_keys=False) + "\n"
    if "--check" in sys.argv[1:]:
        if TARGET.read_text() != text:
            print(f"differs: {TARGET}", file=sys.stderr)
            return 1
        return 0
    TARGET.write_text(text)
    for name, entry in out.items():
        print(name, {k: entry[k] for k in ("files", "records", "rows", "distinct_event_ids",
                                           "without_event_id", "ids_with_different_content", "rows_by_shape")})
        print("   other:", sorted(set(entry["other"].values())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
