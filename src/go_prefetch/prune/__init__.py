"""Cleaning up: entries of a cache service and modules of a pool that nothing will use any more."""
