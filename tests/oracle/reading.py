"""An independent reading of CloudTrail evidence, for literals that tests compare with.

Written from AWS's documentation and the shapes' own definitions, with Python's standard library
alone. It never calls trailhound and shares no code with it, so that a mistake would have to be made
twice, in two languages, to go unseen. Slow and simple on purpose.
"""

import csv
import gzip
import hashlib
import io
import re
import tarfile
import zipfile
from collections import Counter, defaultdict
from pathlib import Path

# ---------------------------------------------------------------- JSON that forgets nothing

SPACE = re.compile(r"[ \t\r\n]*")
STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))")
SHORT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class NotJson(Exception):
    pass


class Node:
    """A JSON value: `kind`, its text, and for containers what they hold (duplicate keys kept)."""

    __slots__ = ("kind", "source", "start", "end", "items")

    def __init__(self, kind, source, start, end=None, items=None):
        self.kind, self.source, self.start, self.end, self.items = kind, source, start, end, items

    @property
    def raw(self) -> str:
        return self.source[self.start:self.end]

    @property
    def value(self):
        """A string's value; lone surrogates stay."""
        def one(m):
            return chr(int(m[1], 16)) if m[1] else SHORT.get(m[2], m[2])
        text = ESCAPE.sub(one, self.raw[1:-1])
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass") \
            if not lone(text) else text

    def get(self, key: str):
        """The last member of that name, or None."""
        found = None
        if self.kind == "object":
            for name, node in self.items:
                if name == key:
                    found = node
        return found

    def text(self, key: str):
        node = self.get(key)
        return node.value if node is not None and node.kind == "string" else None


def lone(text: str) -> bool:
    try:
        text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        return False
    except UnicodeDecodeError:
        return True


def skip(source: str, at: int) -> int:
    return SPACE.match(source, at).end()


def parse(source: str, at: int) -> Node:
    at = skip(source, at)
    c = source[at:at + 1]
    if c == '"':
        m = STRING.match(source, at)
        if not m:
            raise NotJson(f"string at {at}")
        return Node("string", source, at, m.end())
    if c in ("{", "["):
        return container(source, at, c)
    for word, kind in (("true", "boolean"), ("false", "boolean"), ("null", "null")):
        if source.startswith(word, at):
            return Node(kind, source, at, at + len(word))
    m = NUMBER.match(source, at)
    if not m:
        raise NotJson(f"value at {at}")
    return Node("number", source, at, m.end())


def container(source: str, start: int, opening: str) -> Node:
    close, items = ("}" if opening == "{" else "]"), []
    at = skip(source, start + 1)
    while source[at:at + 1] != close:
        if items:
            if source[at:at + 1] != ",":
                raise NotJson(f"comma at {at}")
            at = skip(source, at + 1)
        if opening == "{":
            key = parse(source, at)
            at = skip(source, key.end)
            if key.kind != "string" or source[at:at + 1] != ":":
                raise NotJson(f"key at {at}")
            node = parse(source, at + 1)
            items.append((key.value, node))
        else:
            node = parse(source, at)
            items.append(node)
        at = skip(source, node.end)
    return Node("object" if opening == "{" else "array", source, start, at + 1, items)


def documents(source: str) -> list[Node]:
    """The JSON documents one after another, whatever white space lies between them."""
    out, at = [], skip(source, 0)
    while at < len(source):
        node = parse(source, at)
        out.append(node)
        at = skip(source, node.end)
    return out


def document(text: str) -> Node | None:
    try:
        found = documents(text)
    except NotJson:
        return None
    return found[0] if len(found) == 1 else None


COMPACT = re.compile(r'("(?:[^"\\]|\\.)*")|[ \t\r\n]+', re.S)


def compact(text: str) -> str:
    return COMPACT.sub(lambda m: m[1] or "", text)


# ---------------------------------------------------------------- what a record is

ATHENA = {
    "eventversion": "eventVersion", "useridentity": "userIdentity", "eventtime": "eventTime",
    "eventsource": "eventSource", "eventname": "eventName", "awsregion": "awsRegion",
    "sourceipaddress": "sourceIPAddress", "useragent": "userAgent", "errorcode": "errorCode",
    "errormessage": "errorMessage", "requestparameters": "requestParameters",
    "responseelements": "responseElements", "additionaleventdata": "additionalEventData",
    "requestid": "requestID", "eventid": "eventID", "resources": "resources",
    "eventtype": "eventType", "apiversion": "apiVersion", "readonly": "readOnly",
    "recipientaccountid": "recipientAccountId", "serviceeventdetails": "serviceEventDetails",
    "sharedeventid": "sharedEventID", "vpcendpointid": "vpcEndpointId",
    "vpcendpointaccountid": "vpcEndpointAccountId", "eventcategory": "eventCategory",
    "addendum": "addendum", "sessioncredentialfromconsole": "sessionCredentialFromConsole",
    "edgedevicedetails": "edgeDeviceDetails", "tlsdetails": "tlsDetails",
}
STRUCTS = {"userIdentity", "addendum", "tlsDetails"}
UNORDERED = STRUCTS | {"resources"}


def is_record(node: Node) -> bool:
    if node.kind != "object":
        return False
    names = {name.lower() for name, _ in node.items}
    if node.text("eventSource") == "aws:s3":
        return False
    if {"eventsource", "eventname"} <= names:
        return True
    return "insightdetails" in names or node.text("eventCategory") in ("Insight", "Aggregated")


def column(record: Node, name: str) -> Node | None:
    """The value for an Athena column, spelt as AWS does or, in re-exports, in another case."""
    exact = record.get(ATHENA[name])
    if exact is not None:
        return exact
    found = None
    for key, node in record.items:
        if key.lower() == name:
            found = node
    if found is None and name == "eventtime":
        found = record.get("@timestamp")
    return found


def is_null(name: str, node: Node | None) -> bool:
    if node is None or node.kind == "null":
        return True
    return ATHENA[name] in STRUCTS and node.kind == "object" and not node.items


def canonical(node: Node, ordered: bool) -> str:
    """A form that is equal for equal content: strings by value; where nothing is ordered, sorted."""
    if ordered:
        return compact(node.raw)
    if node.kind == "string":
        return "s" + node.value
    if node.kind == "array":
        return "[" + "\x00".join(canonical(n, False) for n in node.items) + "]"
    if node.kind == "object":
        names = Counter()
        parts = []
        for key, n in node.items:
            parts.append((key, names[key], canonical(n, False)))
            names[key] += 1
        return "{" + "\x00".join(f"{k}\x01{n}\x01{v}" for k, n, v in sorted(parts)) + "}"
    return node.raw


def content(record: Node) -> bytes:
    """The hash of a record's content: white space and the order of keys that AWS's schema names do
    not count; inside JSON that the schema does not know, everything but white space does."""
    names, parts = Counter(), []
    for key, node in record.items:
        plain = key in UNORDERED or node.kind == "string"
        parts.append((key, names[key], canonical(node, not plain)))
        names[key] += 1
    text = "\x02".join(f"{k}\x01{n}\x01{v}" for k, n, v in sorted(parts))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


# ---------------------------------------------------------------- shapes


class Other(Exception):
    """A file that is no CloudTrail log; its argument is what it is."""


def of_document(doc: Node) -> list[tuple[str, Node]]:
    """The records in one JSON document, each with its shape."""
    if doc.kind == "array":
        out = []
        for item in doc.items:
            for shape, record in of_document(item):
                out.append(("array" if shape == "object" else shape, record))
        return out
    if doc.kind != "object":
        raise Other("JSON")
    if (records := doc.get("Records")) is not None and records.kind == "array":
        if any(r.text("eventSource") == "aws:s3" for r in records.items):
            raise Other("S3 notification")
        return [("records", r) for r in records.items]
    if (events := doc.get("Events")) is not None and events.kind == "array":
        return [("lookup-events", inner(e.get("CloudTrailEvent"))) for e in events.items]
    if doc.get("CloudTrailEvent") is not None:
        return [("lookup-events", inner(doc.get("CloudTrailEvent")))]
    if (events := doc.get("logEvents")) is not None and doc.text("messageType") is not None:
        if doc.text("messageType") == "CONTROL_MESSAGE":
            return []
        return [("cloudwatch-subscription", inner(e.get("message"))) for e in events.items]
    if (events := doc.get("events")) is not None and events.kind == "array":
        return [("cloudwatch-events", inner(e.get("message"))) for e in events.items]
    if (aws := doc.get("aws")) is not None and aws.get("cloudtrail") is not None:
        return [("aws-cloudtrail", aws.get("cloudtrail"))]
    if (detail := doc.get("detail")) is not None and not is_record(doc):
        if is_record(detail):
            return [("eventbridge", detail)]
        raise Other("EventBridge event")
    if is_record(doc):
        return [("object", doc)]
    raise Other(name_of(doc))


def inner(node: Node) -> Node:
    """The record inside a string."""
    return document(node.value) if node.kind == "string" else node


def name_of(doc: Node) -> str:
    if doc.get("digestS3Object") is not None:
        return "digest"
    if doc.text("Event") == "s3:TestEvent":
        return "S3 notification"
    if doc.get("configRuleId") is not None:
        return "Config rule event"
    if doc.get("webaclId") is not None or (
            (aws := doc.get("aws")) is not None and aws.get("waf") is not None):
        return "WAF log"
    return "JSON"


def beside(docs: list[Node], n: int) -> str:
    """Whether a document that stands on one line has that line to itself."""
    before = docs[n - 1].source[docs[n - 1].end:docs[n].start] if n else "\n"
    after = docs[n].source[docs[n].end:docs[n + 1].start] if n + 1 < len(docs) else "\n"
    return "lines" if "\n" in before and "\n" in after else "concatenated"


EXPORTED = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z (?=\{)")


def of_text(text: str) -> list[tuple[str, Node]]:
    """The records in a file's text, each with its shape."""
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise Other("empty")
    try:
        docs = documents(text)
    except NotJson:
        docs = []
    if docs:
        if len(docs) == 1 and docs[0].kind == "array" and not docs[0].items:
            raise Other("empty")
        out = []
        for n, doc in enumerate(docs):
            how = "object" if len(docs) == 1 or "\n" in doc.raw else beside(docs, n)
            out += [(how if shape == "object" else shape, r) for shape, r in of_document(doc)]
        return out
    lines = text.splitlines()
    if lines and all(EXPORTED.match(line) for line in lines if line):
        return [("cloudwatch-export", document(EXPORTED.sub("", line))) for line in lines if line]
    return of_table(text)


def of_table(text: str) -> list[tuple[str, Node]]:
    csv.field_size_limit(1 << 30)
    rows = list(csv.reader(io.StringIO(text, newline="")))
    out = []
    if len(rows) > 1 and len(rows[0]) > 1:
        for row in rows[1:]:
            for cell in row:
                if cell.startswith("{") and (node := document(cell)) is not None and is_record(node):
                    out.append(("csv", node))
                    break
        if not out and {len(r) for r in rows} == {len(rows[0])}:
            raise Other("CSV")
    if not out:
        raise Other("text")
    return out


def members(name: str, data: bytes) -> list[tuple[str, bytes]]:
    """The files in an archive, or the file itself."""
    if data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(data)) as z:
            return [(f"{name}!/{i.filename}", z.read(i)) for i in z.infolist() if not i.is_dir()]
    inflated = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
    if inflated[257:262] == b"ustar":
        with tarfile.open(fileobj=io.BytesIO(inflated)) as t:
            return [(f"{name}!/{m.name}", t.extractfile(m).read()) for m in t if m.isfile()]
    return [(name, inflated)]


def read(root: Path, base: Path) -> list[tuple[str, str, list[tuple[str, Node]]]]:
    """Every file below `root` by name: (name from `base`, "ingested" or what else it is, records)."""
    out = []
    for path in sorted((p for p in root.rglob("*") if p.is_file()), key=str) if root.is_dir() else [root]:
        for name, data in members(str(path.relative_to(base)), path.read_bytes()):
            if data.startswith(b"\x1f\x8b"):
                data = gzip.decompress(data)
            try:
                out.append((name, "ingested", of_text(data.decode())))
            except Other as kind:
                out.append((name, str(kind), []))
    return out


# ---------------------------------------------------------------- what a table must say


def identity(record: Node) -> tuple:
    """What two copies of one record share."""
    event = column(record, "eventid")
    if event is None or event.kind != "string":
        return ("content", content(record))
    account = column(record, "recipientaccountid")
    return ("id", account.raw if account is not None else None, event.value)


def hexsum(hashes) -> str:
    """An order-independent hash of a set of hashes: their sum, modulo 2^256."""
    total = sum(int.from_bytes(h, "big") for h in hashes) % (1 << 256)
    return f"{total:064x}"


def literals(files) -> dict:
    """The literals for what `read` gave: what the tables must hold after one ingest of it."""
    rows, versions = {}, defaultdict(set)
    shapes, n_read, aggregated, n_aggregated = Counter(), 0, {}, 0
    for _, _, records in files:
        for shape, record in records:
            n_read += 1
            if record.text("eventCategory") == "Aggregated":
                n_aggregated += 1
                aggregated[content(record)] = record
                continue
            key = (identity(record), content(record))
            if key not in rows:
                rows[key] = (shape, record)
                shapes[shape] += 1
            versions[key[0]].add(key[1])
    records = [r for _, r in rows.values()]
    types: dict = defaultdict(Counter)
    for r in records:
        for name in {name for name, _ in r.items}:
            node = r.get(name)
            kind = node.kind if node.items or node.kind not in ("object", "array") else f"empty {node.kind}"
            types[name][kind] += 1
    # Account (null where the record names none) and event id.
    conflicts = sorted(([k[1] and k[1].strip('"'), k[2]] for k, v in versions.items()
                        if len(v) > 1 and k[0] == "id"), key=str)
    ids = {k[1:] for k in versions if k[0] == "id"}
    kinds = {name: kind for name, kind, _ in files if kind != "ingested"}
    return {
        "files": {"seen": len(files), "ingested": len(files) - len(kinds), "other": len(kinds)},
        "other": kinds,
        "records": {"read": n_read, "written": len(rows) + len(aggregated),
                    "duplicates": n_read - len(rows) - len(aggregated)},
        "rows": len(rows),
        "aggregated_records": len(aggregated),
        "aggregated_rows": sum(map(buckets, aggregated.values())),
        "distinct_event_ids": len({i[1] for i in ids}),
        "without_event_id": sum(1 for k in versions if k[0] == "content"),
        "ids_with_different_content": conflicts,
        "rows_by_shape": dict(sorted(shapes.items())),
        "rows_by_event_category": counted(records, "eventcategory"),
        "rows_by_event_type": counted(records, "eventtype"),
        "rows_by_account": counted(records, "recipientaccountid"),
        "rows_by_region": counted(records, "awsregion"),
        "rows_by_user_type": dict(sorted(Counter(
            str((column(r, "useridentity") or r).text("type")) for r in records).items())),
        "nulls": {c: sum(is_null(c, column(r, c)) for r in records) for c in ATHENA},
        "json_types": {k: dict(sorted(v.items())) for k, v in sorted(types.items())},
        "first_event": min(times(records), default=None),
        "last_event": max(times(records), default=None),
        "content_hash": hexsum(k[1] for k in rows),
    }


def times(records):
    return [n.value for r in records if (n := column(r, "eventtime")) is not None and n.kind == "string"]


def counted(records, name: str) -> dict:
    found = Counter()
    for r in records:
        node = column(r, name)
        found[node.value if node is not None and node.kind == "string" else None] += 1
    return {str(k): v for k, v in sorted(found.items(), key=str)}


def buckets(record: Node) -> int:
    """Rows of an aggregated record: one for each value of each dimension."""
    summary = record.get("summary")
    dimensions = [summary.get("primaryDimension"), *summary.get("details").items]
    return sum(len(d.get("statistics").items) for d in dimensions)
