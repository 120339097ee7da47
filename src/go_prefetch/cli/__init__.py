"""The command line: one place that catches errors, the table of subcommands, a thin module for each.

Decisions belong in the packages below.
"""
