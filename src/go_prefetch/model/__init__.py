"""The values that flow through a run, and the two ports that its adapters implement.

Nothing here reads a file or prints.
"""
