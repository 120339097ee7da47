"""Many runs of a repository: collect them from a forge, count, compare, check gates.

Requests themselves belong to forge.
"""
