"""Go's formats and rules, read as cmd/go reads them, and the go command itself.

What a build needs belongs to run. Go's checks of modules belong to verification.
"""
