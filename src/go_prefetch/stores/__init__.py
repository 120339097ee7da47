"""Where module files are kept between runs: one adapter of the CacheStore port a file."""
