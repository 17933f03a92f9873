"""The wire and the two ends of it."""
