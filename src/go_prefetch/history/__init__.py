"""Many runs: gathered from a forge, counted, compared, held against gates, and shown."""
