"""The pages of an index: home, areas, indicators, comparisons, editions, and what stands behind each figure."""
