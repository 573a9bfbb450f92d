"""Measurements that hold floec against its peers: ``python -m benchmarks SUITE``."""
