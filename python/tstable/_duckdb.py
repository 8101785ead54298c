"""The one place where DuckDB is imported, so that its absence is one sentence."""

try:
    import duckdb
except ModuleNotFoundError as error:
    if error.name not in ("duckdb", "_duckdb"):
        raise
    raise ModuleNotFoundError("tstable needs DuckDB 1.4 or later, type: pip install 'duckdb>=1.4'", name="duckdb") from None

__all__ = ["duckdb"]
