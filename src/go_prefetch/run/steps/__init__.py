"""The steps of the job: what each does, and what it says where it fails."""
