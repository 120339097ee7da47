"""Download one file from a proxy list: which proxy is next, when to retry, when to give up.

HTTP itself belongs to web.
"""
