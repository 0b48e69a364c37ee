"""Framework glue without domain words: guarded routes, paging, ETags, limits, the edge."""
