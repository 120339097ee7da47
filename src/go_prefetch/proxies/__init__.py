"""Getting one file from a proxy list: which proxy next, when again, when to give one up.

HTTP itself belongs to web.
"""
