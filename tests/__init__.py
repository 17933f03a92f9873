"""Tests, by the part that they hold to its promises."""
