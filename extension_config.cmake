# Read by DuckDB's own build, which calls it extension configuration: in a checkout of DuckDB 2.0,
#
#   make EXTENSION_CONFIGS=/path/to/tstable/extension_config.cmake
#
# builds the extension from this checkout. The extension is a library of Rust behind DuckDB's C API, with nothing for
# DuckDB's build to compile or to link: it is loaded (DONT_LINK), and `make release` in this directory makes the file.
duckdb_extension_load(tstable
    SOURCE_DIR ${CMAKE_CURRENT_LIST_DIR}
    DONT_LINK
)
