"""`go-prefetch init`: read workflow files as YAML with places, and decide what to insert into them. Pure.

Files, questions and the diff belong to the command. Nothing here writes YAML: edits are insertions into the text.
"""
