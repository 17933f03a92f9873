"""Screenshots of every screen and state, in both languages: ``./box screens``."""
