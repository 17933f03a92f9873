"""Faces: alignment, networks, templates, decisions, the door camera and the greeter."""
