"""HTTP as Go does it, with a limit on every phase: a file, a request, a connection, what the environment says of it."""
