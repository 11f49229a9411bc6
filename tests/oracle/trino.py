#!/usr/bin/env python3
"""Asks a real Trino what the SQL records assert, and says where they differ.

    python3 tests/oracle/trino.py                  the sums, and each difference that is not marked
    python3 tests/oracle/trino.py --check          the same; exits 1 if there is one
    python3 tests/oracle/trino.py --verbose        marked ones and those not comparable too
    python3 tests/oracle/trino.py FILE.slt …       of these files only

The records are those of tests/sql and, where it is, ../shared/dialect. Trino runs in a JVM of its
own without a server (trino/: needs Java 17, Maven and Maven Central). What a record expects is
compared with Trino's answer in our way of printing (`shown`), so that only what the answer means can
differ. A comment above a record marks a difference that is meant: `# differs from Trino: reason`;
for ../shared/dialect these stand in dialect.json. A mark where nothing differs is a failure as well.
"""

import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import datetime
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from zoneinfo import ZoneInfo

from reading import ATHENA, Node, column, compact, documents

HERE = Path(__file__).resolve().parent
SQL = HERE.parent / "sql"
DIALECT = HERE.parent.parent.parent / "shared" / "dialect"
LAKE_IDS = ("0233062b-51c6-4d2d-8cde-1a2b3c4d5e6f", "5f3c9a1e-7b2d-4c68-9e01-2a4d6c8b0f13")

# ---------------------------------------------------------------- records


class Record:
    """A record of an .slt file."""

    def __init__(self, path: Path, line: int, comments: list[str], lines: list[str]):
        self.path, self.line, self.head = path, line, lines[0].split()
        self.mark = next((c.partition("differs from Trino:")[2].strip() for c in comments
                          if "differs from Trino:" in c), None)
        self.id = next((c for c in comments if ".slt#" in c), None)
        self.rows = None
        if "----" in lines:
            cut = lines.index("----")
            self.sql, self.rows = "\n".join(lines[1:cut]), lines[cut + 1:]
        else:
            self.sql = "\n".join(lines[1:])
        self.fails = self.head[1:2] == ["error"]
        self.sorted = "rowsort" in self.head
        self.about = None
        self.sql = self.sql.removeprefix("STRICT ")
        if word := re.match(r"(COLUMNS|NOTICES) ", self.sql):
            self.about, self.sql = word[1], self.sql[word.end():]

    @property
    def place(self) -> str:
        return self.id or f"{self.path.relative_to(SQL)}:{self.line}"


def records(path: Path) -> list[Record]:
    out, comments, block, start = [], [], [], 0
    for number, line in enumerate([*path.read_text(encoding="utf-8").split("\n"), ""], 1):
        if not block and line.startswith("#"):
            comments.append(line.lstrip("# ").rstrip())
        elif line.strip() or (block and "----" not in block and block[0].startswith("query")):
            start = start if block else number
            block.append(line)
        else:
            if block:
                out.append(Record(path, start, comments, block))
            comments, block = [], []
    return out


# ---------------------------------------------------------------- the tables


def type_of(text: str):
    """A Trino type as (name, members)."""
    tokens = re.findall(r"[a-z_0-9]+(?:\(\d+\))?(?: with time zone)?|[(),]", text)

    def one(at):
        name = tokens[at]
        if at + 1 == len(tokens) or tokens[at + 1] != "(":
            return (name, []), at + 1
        members, at = [], at + 2
        while True:
            label = None
            if name == "row":
                label, at = tokens[at], at + 1
            member, at = one(at)
            members.append((label, member))
            if tokens[at] == ")":
                return (name, members), at + 1
            at += 1
    return one(0)[0]


def spelt(kind) -> str:
    name, members = kind
    inner = ", ".join(f'"{label}" {spelt(m)}' if label else spelt(m) for label, m in members)
    return f"{name}({inner})" if members else name


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def literal(node: Node | None, kind) -> str:
    """A JSON value as an expression of a type, by what AWS says of its columns."""
    name, members = kind
    if node is None or node.kind == "null" or (name in ("row", "map") and node.kind != "object"):
        return "NULL"
    if name == "row":
        if not node.items:
            return "NULL"
        found = {key.lower(): n for key, n in node.items}
        return "ROW(" + ", ".join(
            f"CAST({literal(found.get(label), m)} AS {spelt(m)})" for label, m in members) + ")"
    if name == "array":
        if node.kind != "array":
            return "NULL"
        of = members[0][1]
        return "ARRAY[" + ", ".join(f"CAST({literal(n, of)} AS {spelt(of)})" for n in node.items) + "]"
    if name == "map":
        last = dict(node.items)
        values = ", ".join(f"CAST({literal(n, members[1][1])} AS varchar)" for n in last.values())
        return f"MAP(CAST(ARRAY[{', '.join(map(quoted, last))}] AS array(varchar)), ARRAY[{values}])" \
            if last else "MAP()"
    text = node.value if node.kind == "string" else compact(node.raw)
    if name == "boolean":
        return text
    if name.startswith("timestamp"):
        return f"from_iso8601_timestamp({quoted(text)})"
    return quoted(text)


def columns(path: Path) -> list[tuple[str, tuple]]:
    """The columns that a table has by our own record of them."""
    of = next(r for r in records(path) if r.about == "COLUMNS")
    return [(line.split()[0], type_of(line.split(" ", 1)[1])) for line in of.rows]


def tables(events: list[Node], lake: list[str]) -> list[str]:
    """Statements that make the tables of these events."""
    out = []
    for file, names in (("tables/cloudtrail_logs.slt", ["cloudtrail_logs"]), ("lake/lake.slt", lake)):
        kinds = columns(SQL / file)
        rows = []
        for event in events:
            cells = []
            for name, kind in kinds:
                if name == "eventjson":
                    cells.append(f"CAST({quoted(compact(event.raw))} AS varchar)")
                    continue
                node = column(event, name) if name in ATHENA else next(
                    (n for key, n in event.items if key.lower() == name), None)
                cells.append(f"CAST({literal(node, kind)} AS {spelt(kind)})")
            rows.append(f"({', '.join(cells)})")
        shape = ", ".join(f'"{name}"' for name, _ in kinds)
        rows = ", ".join(rows)
        out += [f'CREATE TABLE "{name}" AS SELECT * FROM (VALUES {rows}) AS t({shape})'
                for name in names]
    return out


def fixtures() -> dict[str, list[str]]:
    own = documents((SQL / "fixture.json").read_text(encoding="utf-8"))[0]
    events = [record for file in own.get("files").items for record in file.get("records").items]
    out = {"own": tables(events, ["cloudtrail_lake", *LAKE_IDS])}
    if DIALECT.is_dir():
        shared = documents((DIALECT / "fixture.json").read_text(encoding="utf-8"))[0]
        out["dialect"] = tables(shared.get("Records").items, ["cloudtrail_lake", LAKE_IDS[1]])
    return out


# ---------------------------------------------------------------- Trino


class Trino:
    def __init__(self):
        work = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "trailhound" / "trino"
        work.mkdir(parents=True, exist_ok=True)
        source = HERE / "trino"
        path = work / "classpath"
        if not path.exists() or path.stat().st_mtime < (source / "pom.xml").stat().st_mtime:
            subprocess.run(["mvn", "-q", "-f", source / "pom.xml", "dependency:build-classpath",
                            f"-Dmdep.outputFile={path}"], check=True, stdout=sys.stderr)
        jars = path.read_text().strip()
        subprocess.run(["javac", "--release", "17", "-cp", jars, "-d", work,
                        source / "src/main/java/oracle/Oracle.java"], check=True)
        self.process = subprocess.Popen(
            ["java", "-Xmx2g", "-cp", f"{work}:{jars}", "oracle.Oracle"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8")

    def ask(self, catalog: str, sql: str) -> dict:
        self.process.stdin.write(json.dumps({"catalog": catalog, "sql": sql}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)


# ---------------------------------------------------------------- printing


def fraction(digits: str) -> str:
    """Digits behind a second as we print them: three, six or nine, or none where they are zeros."""
    digits = (digits or "").ljust(9, "0")
    while digits.endswith("000"):
        digits = digits[:-3]
    return f".{digits}" if digits else ""


STAMP = re.compile(r"(-?\+?\d+-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?(?: (.+))?$")


def timestamp(text: str) -> str:
    day, time, digits, zone = STAMP.match(text).groups()
    offset = ""
    if zone:
        try:
            of = ZoneInfo(zone)
            at = datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=of)
            minutes = at.utcoffset().total_seconds() // 60
            offset = f"{'-' if minutes < 0 else '+'}{int(abs(minutes) // 60):02}:{int(abs(minutes) % 60):02}"
        except (ValueError, KeyError, OSError):
            offset = zone
        offset = "Z" if offset in ("+00:00", "UTC") else offset
    return f"{day}T{time}{fraction(digits)}{offset}"


def number(text: str) -> str:
    """A double as we print it."""
    if text in ("NaN", "Infinity", "-Infinity"):
        return text.replace("Infinity", "inf")
    sign, digits, exponent = Decimal(text).as_tuple()
    shown = "".join(map(str, digits)).lstrip("0")
    exponent += len(shown) - len(shown.rstrip("0"))
    shown = shown.rstrip("0")
    minus = "-" if sign else ""
    if not shown:
        return f"{minus}0.0"
    point = len(shown) + exponent
    if exponent >= 0 and point <= 16:
        return f"{minus}{shown}{'0' * exponent}.0"
    if 0 < point <= 16:
        return f"{minus}{shown[:point]}.{shown[point:]}"
    if -5 < point <= 0:
        return f"{minus}0.{'0' * -point}{shown}"
    rest = f".{shown[1:]}" if len(shown) > 1 else ""
    return f"{minus}{shown[0]}{rest}e{point - 1}"


def interval(text: str) -> str:
    """An interval as we print it: days to seconds as ISO 8601 has seconds, or months."""
    if days := re.match(r"(-?)(\d+) (\d+):(\d+):(\d+)\.(\d+)$", text):
        h, m, s = (int(days[at]) for at in (3, 4, 5))
        seconds = ((int(days[2]) * 24 + h) * 60 + m) * 60 + s
        return f"{days[1]}PT{seconds}{'.' + days[6].rstrip('0') if days[6].strip('0') else ''}S"
    sign, years, months = re.match(r"(-?)(\d+)-(\d+)$", text).groups()
    return f"{sign}{int(years) * 12 + int(months)} mons"


PARTS = re.compile(r"-?\d+(?:\.\d+)? (?:days|hours|mins|secs)(?: -?\d+(?:\.\d+)? (?:days|hours|mins|secs))*")
SECONDS = {"days": 86400, "hours": 3600, "mins": 60, "secs": 1}


def in_seconds(text: str) -> str:
    """An interval that we print in parts, `1 days 2 hours`, in the other way we have."""
    words = text.split()
    total = sum(Decimal(n) * SECONDS[unit] for n, unit in zip(words[::2], words[1::2]))
    shown = f"{abs(total):f}"
    shown = shown.rstrip("0").rstrip(".") if "." in shown else shown
    return f"{'-' if total < 0 else ''}PT{shown}S"


def shown(value) -> str:
    """A value of Trino's as our records print it."""
    if value is None:
        return "NULL"
    if "array" in value:
        return "[" + ", ".join(map(shown, value["array"])) + "]"
    if "map" in value:
        return "{" + ", ".join(f"{shown(k)}: {shown(v)}" for k, v in value["map"]) + "}"
    if "row" in value:
        members = (f"{name or UNNAMED}: {shown(v)}" for name, v in value["row"])
        return "{" + ", ".join(members) + "}"
    kind, text = value["type"], value["text"]
    if kind.startswith("timestamp"):
        return timestamp(text)
    if kind == "time":
        clock, _, digits = text.partition(".")
        return clock + fraction(digits)
    if kind in ("double", "real"):
        return number(text)
    if kind.startswith("interval"):
        return interval(text)
    if kind == "ipaddress":
        return (b"" if ":" in text else bytes(10) + b"\xff\xff").hex() + ip_address(text).packed.hex()
    return text


# What we call the members of a row that Trino leaves without a name, which it shows as field0.
UNNAMED = "\0"
NAMED = re.compile(r"\b(c\d+|key|value)(?=: )")


def cell(value) -> str:
    return shown(value).rstrip().replace("\n", " ⏎ ") or "(empty)"


def rounded_precision(found: re.Match) -> str:
    return f"timestamp({-(-int(found[1]) // 3) * 3})"


def answer_of(record: Record, answer: dict) -> list[str]:
    if record.about == "COLUMNS":
        kinds = [re.sub(r"(varchar|char)\(\d+\)", r"\1", kind) for kind in answer["types"]]
        # Literals are bigints here, and precisions 0, 3, 6 and 9: docs/SQL.md.
        kinds = [re.sub(r"\binteger\b", "bigint", kind) for kind in kinds]
        kinds = [re.sub(r"timestamp\((\d)\)", rounded_precision, kind) for kind in kinds]
        return [f"{name} {kind}".replace('"', "") for name, kind in zip(answer["names"], kinds)]
    return [" ".join(" ".join(map(cell, row)).split()) for row in answer["rows"]]


# ---------------------------------------------------------------- comparing

OURS = {
    "statements of ours": re.compile(
        r"^\s*(SHOW|DESCRIBE|DESC|EXPLAIN|SET|RESET|PREPARE|EXECUTE|DEALLOCATE|DROP|INSERT|UPDATE|"
        r"DELETE|MERGE|COPY|UNLOAD|CREATE|ALTER|MSCK|TRUNCATE|VACUUM|ANALYZE|"
        r"GRANT|USE|CALL|COMMIT|BEGIN|START|ROLLBACK)\b", re.I),
    "several statements": re.compile(r";\s*\S"),
    "tables and schemas of ours": re.compile(
        r"\b(log_files|duplicates|rejects|evidence|cloudtrail_aggregated|trail_logs|information_schema|"
        r"awsdatacatalog|cloudtrail_logs_\w+)\b|\bFROM\s+cloudtrail\b|(\w+|\")\.\"?cloudtrail_(logs|lake)\b", re.I),
    "depends on when it runs, or on chance": re.compile(
        r"\b(now|current_timestamp|current_date|random|uuid|shuffle|rand)\b\(?", re.I),
}
COLUMNS_OF_OURS = set("""year month day date timestamp date_partition dt region_partition
    account_partition $path id_conflict superseded managementevent insightdetails region account
    src_ip outcome org_id event_ts delivery_date kind source_file source_version record_no shape envelope extra
    empty_fields awsregion_partition readonly_flag file_seq offset""".split())


# What Trino refuses and published queries need: docs/SQL.md. By the error that Trino gives.
LENIENT = {
    "one name may stand for a whole row": r"Column alias list has \d+ entries",
    "text beside a timestamp": r"(Cannot .*|common type between )(varchar(?!.*row\().*timestamp|timestamp.*varchar|varchar.* date)",
    "a key that is not there is NULL": r"Key not present in map",
    "names in JSON paths may hold - and @": r"Invalid JSON path: '[$.\w]*[-@]",
    "members of JSON text": r"Expression \w+ is not of type ROW",
}


def leniency(record: Record, error: str) -> str | None:
    """Why we answer what Trino refuses, where that is said elsewhere."""
    found = next((why for why, said in LENIENT.items() if re.search(said, error)), None)
    return found or ("the area of that name" if record.path.parent.name == "lenient" else None)


def not_comparable(record: Record) -> str | None:
    if record.about == "NOTICES":
        return "notices"
    if record.path.parent.name == "empty":
        return "a cache without a row"
    for reason, pattern in OURS.items():
        if pattern.search(record.sql):
            return reason
    return None


def asked(record: Record) -> str:
    """The statement for Trino: CloudTrail Lake reads the id of an event data store without quotes."""
    sql = record.sql.rstrip().rstrip(";")
    return re.sub(r'(?<!")\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b(?![\'"])',
                  lambda id: f'"{id[0]}"' if sql.count("'", 0, id.start()) % 2 == 0 else id[0], sql)


def unordered(text: str) -> list[str]:
    return sorted(re.split(r", |[{}\[\]]", text))


def judge(record: Record, answer: dict, views: list[str]) -> tuple[str, str]:
    """What came of a record: a word, and what Trino said."""
    if "error" in answer:
        error = " ".join(answer["error"].split())[:300]
        if record.fails:
            return "same", error
        if found := re.search(r"Column '([^']+)' cannot be resolved", error):
            if found[1].split(".")[-1] in COLUMNS_OF_OURS:
                return "not comparable: columns of ours", error
        if any(re.search(rf"\b{view}\"?' does not exist", error, re.I) for view in views):
            return "not comparable: reads a view or table that its file declares", error
        if "mismatched input '<EOF>'" in error and not record.sql.strip():
            return "not comparable: no statement", error
        if lenient := leniency(record, error):
            return f"lenient: {lenient}", error
        return "Trino refuses, we answer", error
    rows = answer_of(record, answer)
    if record.fails:
        return "Trino answers, we refuse", "\n".join(rows)
    if record.rows is None:
        return "same", ""
    ours = [" ".join(row.split()) for row in record.rows]
    if record.about == "COLUMNS":
        ours = [re.sub(r"\binteger\b", "bigint", row) for row in ours]
    if any("interval" in kind for kind in answer["types"]):
        ours = [PARTS.sub(lambda found: in_seconds(found[0]), row) for row in ours]
    if any(UNNAMED in row for row in rows):
        ours = [NAMED.sub(UNNAMED, row) for row in ours]
    if record.sorted:
        rows = sorted(rows)
    if rows == ours:
        return "same", ""
    maps = any("map(" in kind for kind in answer["types"])
    loose = not re.search(r"\bORDER\s+BY\b", record.sql, re.I)
    if loose and sorted(rows) == sorted(ours):
        return "same", ""
    if maps and [unordered(r) for r in rows] == [unordered(r) for r in ours]:
        return "same", ""
    return "differs", "\n".join(rows)


def main():
    arguments = sys.argv[1:]
    verbose = "--verbose" in arguments
    chosen = [Path(a).resolve() for a in arguments if not a.startswith("-")]
    paths = chosen or sorted(SQL.rglob("*.slt")) + sorted(DIALECT.glob("*.slt"))
    marks = json.loads((HERE / "dialect.json").read_text(encoding="utf-8"))
    trino = Trino()
    for catalog, statements in fixtures().items():
        for statement in statements:
            if "error" in (answer := trino.ask(catalog, statement)):
                sys.exit(f"{catalog}: {answer['error']}\n{statement[:400]}")
    sums, per_file, bad = Counter(), defaultdict(Counter), 0
    for path in paths:
        catalog = "dialect" if DIALECT in path.parents else "own"
        views = re.findall(r"\b(?:VIEW|TABLE) (?:IF NOT EXISTS )?(?:[\"`]?\w+[\"`]?\.)*[\"`]?(\w+)",
                           path.read_text(encoding="utf-8"), re.I)
        views += [f"{view}[$]partitions" for view in views] + ["security"]
        for record in records(path):
            mark = marks.get(record.id) if catalog == "dialect" else record.mark
            if reason := not_comparable(record):
                word, said = f"not comparable: {reason}", ""
            else:
                word, said = judge(record, trino.ask(catalog, asked(record)), views)
            if mark is not None and word.startswith("lenient"):
                word = "Trino refuses, we answer"
            stale = mark is not None and (word == "same" or word.startswith("not"))
            plain = word == "same" or word.startswith(("not", "lenient")) or mark is not None
            if stale or not plain or (verbose and word != "same"):
                print(f"=== {record.place}: {'marked, but ' if stale else ''}{word}"
                      f"{f' (meant: {mark})' if mark else ''}")
                print(record.sql)
                if not record.fails and not word.startswith("not comparable"):
                    print("--- we\n" + "\n".join(record.rows or []))
                print("--- Trino\n" + said)
            bad += stale or not plain
            sums[f"meant: {word}" if mark is not None else word] += 1
            per_file[str(path.name)][word.split(":")[0]] += 1
    trino.close()
    print()
    for word, count in sorted(sums.items()):
        print(f"{count:6} {word}")
    print(f"{sum(sums.values()):6} records")
    if "--check" in arguments and bad:
        sys.exit(1)


if __name__ == "__main__":
    main()
