"""Inputs and settings: flags, environment and their defaults, as typed values.

What a setting does belongs in the package that gets it.
"""
