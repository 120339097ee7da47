"""What many runs did: gathered from a forge's API and its job logs, put into figures, compared, gated, shown."""
