"""GitHub's REST API as far as `report` and `prune` ask it, and the other host that its logs lie on."""
