"""Values as text, Markdown, JSON and outputs. Only this package turns them into sentences.

Where the text goes belongs to platforms and cli.
"""
