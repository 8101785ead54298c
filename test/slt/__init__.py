"""Runs SQL tests against the packaged extension in every host: `.test` files (sqllogictest), the `sql` fences of
Markdown pages, and `.sql` recipes. Knows nothing of what the tests are about."""
