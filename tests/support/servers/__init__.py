"""Real servers that keep objects, each a process on loopback."""
