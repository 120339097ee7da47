"""The job: its steps in order, and which real parts its settings mean."""
