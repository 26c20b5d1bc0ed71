"""DuckDB's spatial join for part (h), in a process and an environment of its own: the extension that PyPI has pins an
older DuckDB than ours. Knows nothing of Anlan.

    python spatial_peer.py FOLDER      reads points.parquet and cells.parquet; writes joined.npz
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import duckdb
import duckdb_extension_spatial
import numpy as np


def main(folder: Path) -> None:
    """Join once; leave which point lies in which cell, and the seconds it took by the wall and of processors."""
    [extension] = Path(duckdb_extension_spatial.__file__).parent.glob("extensions/*/spatial.duckdb_extension")
    with duckdb.connect() as connection:
        connection.execute(f"LOAD '{extension}'")
        connection.execute(f"CREATE TABLE told AS FROM '{folder}/points.parquet'")
        connection.execute(
            f"CREATE TABLE cells AS SELECT id, ST_GeomFromWKB(wkb) AS place FROM '{folder}/cells.parquet'"
        )
        clocks = [(time.perf_counter(), time.process_time())]
        connection.execute("CREATE TABLE points AS SELECT id, ST_Point(x, y) AS place FROM told")
        clocks.append((time.perf_counter(), time.process_time()))
        connection.execute(
            "CREATE TABLE joined AS SELECT points.id AS point, cells.id AS cell"
            " FROM points JOIN cells ON ST_Intersects(cells.place, points.place)"
        )
        clocks.append((time.perf_counter(), time.process_time()))
        joined = connection.execute("SELECT point, cell FROM joined").fetchnumpy()
    np.savez(folder / "joined.npz", point=joined["point"], cell=joined["cell"], clocks=np.array(clocks))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
