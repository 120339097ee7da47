"""The pipeline's steps: one verb a file, each from frozen values to a new frozen value."""
