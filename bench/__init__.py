"""Benchmarks, as ratios: `python -m bench.bench_NAME` each, or `make bench`."""
