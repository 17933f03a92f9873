"""Faces: find, align, embed, compare, decide. Templates never leave the box."""
