"""Files, locks, child processes, retries and formatting: what every package may use.

Knows nothing of Go, HTTP, stores or where we run.
"""
