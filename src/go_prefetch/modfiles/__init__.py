"""Module files on disk: how untrusted bytes get the name of a module file, and folders that hold only a plan.

Whether their content is right is decided by Go: verification.
"""
