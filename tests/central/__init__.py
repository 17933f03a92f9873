"""The centre: store, ingest, documents, console."""
