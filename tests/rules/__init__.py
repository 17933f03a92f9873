"""The law of a lesson, as tables and properties."""
