"""`go-prefetch doctor`: measure proxies and stores, check the project and Go's variables, recommend a proxy list.

Requests belong to web, the steps of a run to run.
"""
