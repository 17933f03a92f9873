"""The console: what staff see of the boxes and the lessons, as it arrives."""
