"""The whole job against real servers and the real Go."""
