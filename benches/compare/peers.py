"""One conversion by one peer: `peers.py PEER WAY SOURCE OUT`, in an environment that has both.

Prints one JSON object: the CPU seconds, wall seconds and peak bytes of the conversion, without
the start of Python and the import of the engine, and the rows written. Both peers write one
Parquet file with their own defaults for compression, use all cores, and may write in any order.
"""

import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from measure import own_cost  # noqa: E402

# The fields of AWS's Athena table and the record's own newer ones, as the records spell them.
TEXT = (
    "eventVersion eventTime eventSource eventName awsRegion sourceIPAddress userAgent errorCode "
    "errorMessage requestID eventID eventType apiVersion readOnly recipientAccountId sharedEventID "
    "vpcEndpointId vpcEndpointAccountId eventCategory sessionCredentialFromConsole managementEvent"
).split()
NESTED = (
    "userIdentity requestParameters responseElements additionalEventData resources "
    "serviceEventDetails addendum edgeDeviceDetails tlsDetails insightDetails"
).split()

# DuckDB's schema for the parts that the Athena table types; the rest stays JSON text.
USER_IDENTITY = """STRUCT(type VARCHAR, principalId VARCHAR, arn VARCHAR, accountId VARCHAR,
    invokedBy VARCHAR, accessKeyId VARCHAR, userName VARCHAR, sessionContext STRUCT(
        attributes STRUCT(mfaAuthenticated VARCHAR, creationDate VARCHAR),
        sessionIssuer STRUCT(type VARCHAR, principalId VARCHAR, arn VARCHAR, accountId VARCHAR,
            userName VARCHAR),
        ec2RoleDelivery VARCHAR,
        webIdFederationData STRUCT(federatedProvider VARCHAR, attributes JSON)))"""
TYPED = {
    "userIdentity": USER_IDENTITY,
    "resources": "STRUCT(ARN VARCHAR, accountId VARCHAR, type VARCHAR)[]",
    "tlsDetails": "STRUCT(tlsVersion VARCHAR, cipherSuite VARCHAR, clientProvidedHostHeader VARCHAR)",
}


def clickhouse_tuple() -> str:
    """All fields as text. ClickHouse gives objects and numbers asked for as text as they stand."""
    return "Tuple(" + ", ".join(f"{name} Nullable(String)" for name in TEXT + NESTED) + ")"


def clickhouse(way: str, source: pathlib.Path) -> str:
    """The SELECT for one of the ways to read a delivery file with ClickHouse."""
    lines = f"file('{source}/**/*.json.gz', 'LineAsString', 'line String')"
    names = TEXT + NESTED
    columns = ", ".join(f"e.{name} AS {name.lower()}" for name in names)
    if way == "lines, one typed extraction a file":
        array = f"JSONExtract(line, 'Records', 'Array({clickhouse_tuple()})')"
        return f"SELECT {columns} FROM (SELECT arrayJoin({array}) AS e FROM {lines})"
    if way == "lines, one extraction a field":
        text = [f"JSONExtractString(e, '{name}') AS {name.lower()}" for name in TEXT]
        raw = [f"JSONExtractRaw(e, '{name}') AS {name.lower()}" for name in NESTED]
        array = "JSONExtractArrayRaw(line, 'Records')"
        return f"SELECT {', '.join(text + raw)} FROM (SELECT arrayJoin({array}) AS e FROM {lines})"
    # The JSON reader itself, told to keep everything below the fields as text.
    objects = f"file('{source}/**/*.json.gz', 'JSONEachRow', 'Records Array({clickhouse_tuple()})')"
    settings = [
        "input_format_json_read_objects_as_strings",
        "input_format_json_read_arrays_as_strings",
        "input_format_json_read_bools_as_strings",
        "input_format_json_read_numbers_as_strings",
        "input_format_json_ignore_unknown_keys_in_named_tuple",
        "input_format_json_defaults_for_missing_elements_in_named_tuple",
        "input_format_skip_unknown_fields",
    ]
    settings = ", ".join(f"{name} = 1" for name in settings)
    return f"SELECT {columns} FROM (SELECT arrayJoin(Records) AS e FROM {objects}) SETTINGS {settings}"


def run_clickhouse(way: str, source: pathlib.Path, out: pathlib.Path) -> None:
    """Converts with chDB."""
    import chdb

    yield
    chdb.query(f"INSERT INTO FUNCTION file('{out}', 'Parquet') {clickhouse(way, source)}")
    yield


def largest_object(source: pathlib.Path) -> int:
    """The bytes of the largest file once inflated: gzip says so in its last four bytes."""
    sizes = [16 << 20]
    for path in source.rglob("*.json.gz"):
        with path.open("rb") as file:
            file.seek(-4, 2)
            sizes.append(int.from_bytes(file.read(4), "little"))
    return max(sizes) + 1


def run_duckdb(way: str, source: pathlib.Path, out: pathlib.Path) -> None:
    """Converts with DuckDB."""
    import duckdb

    nested = {name: "JSON" for name in NESTED}
    if way == "typed schema":
        nested.update(TYPED)
    fields = [f"{name} VARCHAR" for name in TEXT] + [f"{name} {kind}" for name, kind in nested.items()]
    schema = f"STRUCT({', '.join(fields)})[]"
    # Its buffers grow with this limit, so it is no higher than the largest file needs.
    size = largest_object(source)
    connection = duckdb.connect()
    connection.execute("SET preserve_insertion_order = false")
    yield
    connection.execute(
        f"COPY (SELECT unnest(Records, max_depth := 2) FROM read_json('{source}/**/*.json.gz', "
        f"columns = {{'Records': '{schema}'}}, maximum_object_size = {size})) "
        f"TO '{out}' (FORMAT parquet)"
    )
    yield


WAYS = {
    "clickhouse": [
        "lines, one typed extraction a file",
        "lines, one extraction a field",
        "JSON reader, nested parts as text",
    ],
    "duckdb": ["typed schema", "nested parts as text"],
}
RUN = {"clickhouse": run_clickhouse, "duckdb": run_duckdb}


def count_rows(out: pathlib.Path) -> int:
    """The rows of the Parquet file, by its footer."""
    import duckdb

    query = "SELECT sum(num_rows) FROM parquet_file_metadata(?)"
    return int(duckdb.connect().execute(query, [str(out)]).fetchone()[0])


def main() -> None:
    """Runs the conversion named on the command line."""
    peer, way, source, out = sys.argv[1], sys.argv[2], *map(pathlib.Path, sys.argv[3:5])
    steps = RUN[peer](way, source, out)
    next(steps)
    cpu_before, _ = own_cost()
    began = time.monotonic()
    next(steps)
    wall_seconds = time.monotonic() - began
    cpu_after, peak_bytes = own_cost()
    cost = {
        "cpu_seconds": cpu_after - cpu_before,
        "wall_seconds": wall_seconds,
        "peak_bytes": peak_bytes,
        "rows": count_rows(out),
        "out_bytes": out.stat().st_size,
    }
    print(json.dumps(cost))


if __name__ == "__main__":
    main()
