"""Recommendations against tuned baselines: `python -m benchmarks.quality`."""
