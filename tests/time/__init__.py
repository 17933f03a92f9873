"""The time of a box: what it goes by, what is recorded, what is reckoned from it."""
