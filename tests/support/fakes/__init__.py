"""Stand-ins for the outside world, honest on the wire and on disk."""
