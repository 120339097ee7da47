"""HTTP with a limit on every phase: connections, redirects, logins, HTTP proxies, certificates.

This package does not depend on modules. What is requested, and when it is retried, belongs to proxies, stores and
forge.
"""
