"""The job: its steps in order, and the real parts that its settings select."""
