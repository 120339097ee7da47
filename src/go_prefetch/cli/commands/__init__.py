"""The subcommands, one in each module. Each is called with an Invocation and returns its exit status."""
