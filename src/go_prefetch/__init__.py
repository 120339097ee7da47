"""Go modules on disk for CI: restored, downloaded, verified by Go, and reported."""

__version__ = "1.0.0"
PROJECT_URL = "https://github.com/org/go-prefetch"  # as in pyproject.toml
