"""Files, locks, child processes, retries and formatting: tools that every package may use.

This package does not depend on Go, HTTP, stores or the CI platform.
"""
