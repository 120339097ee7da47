"""Where we run: GitHub, GitLab or a terminal; adapters of the Platform port. The only package that prints the log."""
