"""``./box demo``: one lesson with real parts on one machine."""
