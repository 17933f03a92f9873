"""The centre: ingest, store, documents and the console for staff."""
