"""The installed command and the action, as their users start them."""
