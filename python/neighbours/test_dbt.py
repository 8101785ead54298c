"""dbt-duckdb: the plugin loads the extension into each connection, so models read tables, as tables and as views."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

import tstable

pytest.importorskip("dbt.adapters.duckdb", reason="dbt-duckdb is not installed here; make test-neighbours has it")

FILES = {
    "dbt_project.yml": """
name: market
version: "1.0"
profile: market
""",
    "profiles.yml": """
market:
  target: dev
  outputs:
    dev:
      type: duckdb
      path: market.duckdb
      config_options:
        allow_unsigned_extensions: true
      plugins:
        - module: tstable.dbt
""",
    "models/daily.sql": """
{{ config(materialized='table') }}
SELECT symbol, ts::DATE AS day, avg(close) AS close
FROM tstable_scan('store/prices', start := '2024-06-02')
GROUP BY ALL
""",
    "models/hourly.sql": """
{{ config(materialized='view') }}
SELECT * FROM tstable_scan('store/prices')
""",
    "models/incomplete.sql": """
{{ config(materialized='table') }}
SELECT hourly.symbol, count(*) AS hours FROM {{ ref('hourly') }} AS hourly GROUP BY ALL HAVING count(*) < 48
""",
}


def test_models_read_tables(con):
    for name, text in FILES.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text)
    words = [sys.executable, "-m", "dbt.cli.main", "run", "--profiles-dir", ".", "--project-dir", "."]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "PASS=3" in done.stdout, done.stdout
    with duckdb.connect("market.duckdb") as plain:
        assert plain.execute("SELECT count(*) FROM daily").fetchone() == (2,)
        assert plain.execute("FROM incomplete").fetchall() == [("AMD", 43)]
        with pytest.raises(duckdb.CatalogException, match="tstable_scan does not exist"):
            plain.execute("FROM hourly")
    with tstable.connect("market.duckdb") as loaded:
        assert loaded.execute("SELECT count(*) FROM hourly").fetchone() == (91,)
