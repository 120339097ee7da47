"""How a report over many runs looks: the same sections as text, Markdown and HTML; and JSON."""
