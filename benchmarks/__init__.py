"""Ratios against hand-written endpoints: `python -m benchmarks`."""
