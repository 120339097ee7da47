"""The cache service of a CI system: immutable archives under keys."""
