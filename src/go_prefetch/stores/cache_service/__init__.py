"""A CI's cache service: two protocols, full and delta entries, parallel ranges."""
