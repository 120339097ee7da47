"""Inputs and settings: flags, environment and their defaults, as typed values.

What a setting brings about is for the package that it is handed to.
"""
