"""What `doctor` finds out: how each source of modules answers, what in the environment bends things, what to change."""
