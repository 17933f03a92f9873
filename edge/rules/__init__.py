"""The law of a lesson, pure: the same facts give the same answer on box and centre."""
