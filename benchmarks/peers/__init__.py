"""The systems that `bench_peers.py` compares: how each is installed, started, and asked what it has stored."""
