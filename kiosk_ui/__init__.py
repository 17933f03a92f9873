"""The touch screen at the classroom door."""
