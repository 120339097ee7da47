"""Go's formats and rules, read as cmd/go reads them, and the go command itself.

What a build wants of them belongs to run, what Go says of modules to verification.
"""
