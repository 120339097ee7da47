"""The steps of the job: the work of each, and its messages if it fails."""
