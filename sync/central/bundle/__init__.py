"""The evidence bundle: one ZIP that shows a class and proves itself (docs/evidence.md)."""
