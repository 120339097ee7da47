"""One step of the job a file, named after its verb."""
