"""Tests of the house itself: units, documents, the box script, manners, benchmark reports."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
