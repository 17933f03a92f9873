"""Whole lessons, in a real browser, with real parts behind it."""
