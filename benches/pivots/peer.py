"""The questions of one dossier by DuckDB: `peer.py PARQUET <QUESTIONS`, a JSON object of statements by
name on standard input, in an environment that has it.

Prints one JSON object: the CPU and wall seconds of each, without the start of Python, the import of
DuckDB and its opening of the files, and the first value of each answer.
"""

import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from measure import own_cost  # noqa: E402


def main() -> None:
    """Runs the statements one after the other; all cores, as by default."""
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"CREATE VIEW cloudtrail_logs AS FROM read_parquet('{sys.argv[1]}')")
    costs = {}
    for name, sql in json.load(sys.stdin).items():
        cpu_before, _ = own_cost()
        began = time.monotonic()
        rows = connection.execute(sql).fetchall()
        wall_seconds = time.monotonic() - began
        cpu_after, _ = own_cost()
        costs[name] = {
            "cpu_seconds": cpu_after - cpu_before,
            "wall_seconds": wall_seconds,
            "answer": str(rows[0][0]) if rows else "",
        }
    print(json.dumps(costs))


if __name__ == "__main__":
    main()
