"""Benchmarks: each module names its figures; ``python -m tests.bench NAME…`` measures them."""
