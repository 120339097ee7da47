"""Dockerfiles and .dockerignore files: read, judged, printed. Nothing here runs a builder."""
