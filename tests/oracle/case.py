#!/usr/bin/env python3
"""Derives the literals that tests/it/testdata.rs compares with, from the files of testdata/.

    python3 tests/oracle/case.py            write tests/oracle/testdata.json
    python3 tests/oracle/case.py --check    say whether the committed one still is right

It never calls trailhound. `case` and `shapes` are each read as one ingest; `shapes_alone` has what
each file of shapes/ gives when it is ingested alone; `answers` are what an investigator would ask
of the case. What broken/ must give is written by hand in testdata/make_broken.py.
"""

import json
import sys
from collections import Counter
from pathlib import Path

from reading import column, literals, read

HERE = Path(__file__).resolve().parent
DATA = HERE.parent.parent / "testdata"
TARGET = HERE / "testdata.json"


def plain(node):
    """A node as ordinary Python values."""
    if node.kind == "object":
        return {k: plain(n) for k, n in node.items}
    if node.kind == "array":
        return [plain(n) for n in node.items]
    return node.value if node.kind == "string" else json.loads(node.raw)


def answers(files) -> dict:
    """Questions to the case, answered by reading it record by record."""
    seen, events = set(), []
    for _, _, records in files:
        for _, record in records:
            if record.text("eventCategory") == "Aggregated":
                continue
            account, event = column(record, "recipientaccountid"), column(record, "eventid")
            if (account.value, event.value) not in seen:
                seen.add((account.value, event.value))
                events.append(plain(record))
    events.sort(key=lambda r: (r["eventTime"], r["eventID"]))
    leaked, backdoor = "AKIAIOSFODNN7EXAMPLE", "AKIAI44QH8DHBEXAMPLE"
    thief = {"203.0.113.77", "203.0.113.78", "2001:db8:4f3c::1a"}

    def key(r):
        return r.get("userIdentity", {}).get("accessKeyId")

    def refused(r):
        code = r.get("errorCode", "")
        return "AccessDenied" in code or "UnauthorizedOperation" in code

    # Credentials that these keys issued, and the console sessions of the intruder's sign-ins.
    chain, grown = {leaked, backdoor}, True
    logins = {(r["userIdentity"]["arn"], r["eventTime"]) for r in events
              if r.get("eventName") == "ConsoleLogin" and r["sourceIPAddress"] in thief}
    for r in events:
        who = r.get("userIdentity", {})
        created = who.get("sessionContext", {}).get("attributes", {}).get("creationDate")
        if who.get("type") == "IAMUser" and (who.get("arn"), created) in logins:
            chain.add(who["accessKeyId"])
    while grown:
        grown = False
        for r in events:
            if key(r) in chain:
                issued = ((r.get("responseElements") or {}).get("credentials") or {}).get("accessKeyId")
                if issued and issued not in chain:
                    chain.add(issued)
                    grown = True
    mine = [r for r in events if r.get("sourceIPAddress") in thief]
    got = [r for r in events if r.get("eventName") == "GetObject" and key(r) in chain]
    return {
        "leaked_key_first_seen_from_elsewhere": min(
            r["eventTime"] for r in events if key(r) == leaked and r["sourceIPAddress"] in thief),
        "calls_with_leaked_key_by_address": dict(sorted(Counter(
            r["sourceIPAddress"] for r in events if key(r) == leaked).items())),
        "events_from_the_intruder": len(mine),
        "denied_to_leaked_key": sum(refused(r) for r in mine if key(r) == leaked),
        "keys_of_the_intruder": sorted(chain),
        "events_by_key_of_the_intruder": dict(sorted(Counter(
            key(r) for r in events if key(r) in chain).items())),
        "console_logins_without_mfa": [
            [r["eventTime"], r["sourceIPAddress"]] for r in events if r.get("eventName") == "ConsoleLogin"
            and r["responseElements"]["ConsoleLogin"] == "Success"
            and r["additionalEventData"]["MFAUsed"].lower() != "yes"],
        "shared_event_ids_in_two_accounts": sum(1 for accounts in shared(events).values() if len(accounts) > 1),
        "objects_read_by_intruder": sum("errorCode" not in r for r in got),
        "bytes_read_by_intruder": sum(r["additionalEventData"]["bytesTransferredOut"] for r in got
                                      if "errorCode" not in r),
        "reads_refused_to_intruder": sum("errorCode" in r for r in got),
        "trail_stopped_and_started": [r["eventTime"] for r in events
                                      if r.get("eventName") in ("StopLogging", "StartLogging")],
    }


def shared(events) -> dict:
    out: dict = {}
    for r in events:
        if "sharedEventID" in r:
            out.setdefault(r["sharedEventID"], set()).add(r["recipientAccountId"])
    return out


def main() -> int:
    case, shapes = read(DATA / "case", DATA), read(DATA / "shapes", DATA)
    alone: dict = {}
    for name, kind, records in shapes:
        alone.setdefault(name.split("!/")[0], []).append((name, kind, records))
    out = {
        "case": literals(case),
        "answers": answers(case),
        "shapes": literals(shapes),
        "shapes_alone": {name: {k: v for k, v in literals(files).items() if k in (
            "files", "records", "rows_by_shape", "content_hash")} for name, files in alone.items()},
    }
    text = json.dumps(out, indent=1, ensure_ascii=False) + "\n"
    if "--check" in sys.argv[1:]:
        if TARGET.read_text() != text:
            print(f"differs: {TARGET}", file=sys.stderr)
            return 1
        return 0
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
