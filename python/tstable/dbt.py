"""The plugin for dbt-duckdb, which loads the extension into each of its connections. In profiles.yml: ``plugins: [{module: tstable.dbt}]``,
beside ``config_options: {allow_unsigned_extensions: true}``."""

from dbt.adapters.duckdb.plugins import BasePlugin  # type: ignore[import-untyped,import-not-found,unused-ignore]

from ._duckdb import duckdb
from ._loading import load


class Plugin(BasePlugin):  # type: ignore[misc,unused-ignore]
    """What dbt-duckdb looks for in a module of a plugin."""

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Called with each new connection."""
        load(conn)
