"""The subcommands, thin over the pipeline and its parts: each returns its status. Two share `publish` and `traced`."""
