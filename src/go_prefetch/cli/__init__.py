"""The command line: one catcher of errors, the table of subcommands, one thin file for each.

Nothing is decided here that a test of a package below could not ask for.
"""
