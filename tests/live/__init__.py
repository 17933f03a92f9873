"""Live view and recording by hand, with real processes, a real broker and a real camera."""
