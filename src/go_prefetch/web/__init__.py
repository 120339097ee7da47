"""HTTP with a limit on every phase: connections, redirects, logins, HTTP proxies, certificates.

Knows nothing of modules. What is asked, and when again, belongs to proxies, stores and forge.
"""
