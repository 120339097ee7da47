"""Where we run: one adapter of the Platform port a file, and one place that tells which."""
