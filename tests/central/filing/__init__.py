"""Tests of what schools file."""
