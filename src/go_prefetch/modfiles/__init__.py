"""Module files on disk: how foreign bytes get a name there, and folders that hold a plan and nothing else.

Whether their content is right is Go's to say: verification.
"""
