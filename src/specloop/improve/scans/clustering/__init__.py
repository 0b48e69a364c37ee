"""Clustering of failures: kinds first, patterns inside kinds, names without a model (spectral.md §2.2.1)."""

from specloop.improve.scans.clustering.embedders import HashedEmbedder, WordLlamaEmbedder
from specloop.improve.scans.clustering.levels import cluster_failures, membership

__all__ = ["HashedEmbedder", "WordLlamaEmbedder", "cluster_failures", "membership"]
