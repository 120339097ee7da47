"""Values as text, Markdown, JSON and outputs. The only package that makes sentences of them.

Where the text goes belongs to platforms and cli.
"""
