"""How a Plan and a Report look: text, Markdown, JSON. Nothing here decides anything."""
