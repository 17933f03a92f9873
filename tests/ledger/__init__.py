"""The ledger, its processes and its media."""
