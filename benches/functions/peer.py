"""One statement by DuckDB: `peer.py PARQUET REPEATS SQL`, in an environment that has it.

Prints one JSON object: the CPU and wall seconds of one run of the statement, without the start of
Python, the import of DuckDB and its opening of the files, and the answer.
"""

import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from measure import own_cost  # noqa: E402


def main() -> None:
    """Runs the statement of the command line; all cores, as by default."""
    import duckdb

    files, repeats, sql = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"CREATE VIEW cloudtrail_logs AS FROM read_parquet('{files}')")
    cpu_before, _ = own_cost()
    began = time.monotonic()
    for _ in range(repeats):
        answer = connection.execute(sql).fetchone()[0]
    wall_seconds = time.monotonic() - began
    cpu_after, _ = own_cost()
    cost = {
        "cpu_seconds": (cpu_after - cpu_before) / repeats,
        "wall_seconds": wall_seconds / repeats,
        "answer": str(answer),
    }
    print(json.dumps(cost))


if __name__ == "__main__":
    main()
