"""The subcommands, thin over the pipeline and its parts: each returns an exit status."""
