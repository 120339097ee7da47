"""The sections of a report once, and text, Markdown, JSON and a page of them."""
