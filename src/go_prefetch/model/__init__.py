"""The values that flow through a run, and the two ports that its adapters fill.

Nothing here reads a file or prints.
"""
