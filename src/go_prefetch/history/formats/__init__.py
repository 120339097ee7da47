"""The report as text, Markdown, JSON and an HTML page, all made of the same sections."""
