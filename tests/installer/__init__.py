"""The installer: idempotent, honest in a dry run, careful with data."""
