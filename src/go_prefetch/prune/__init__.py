"""Clean up: unused entries of a cache service and unused modules of a pool."""
