"""The box's settings, services, documents and lessons."""
