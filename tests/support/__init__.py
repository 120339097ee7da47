"""What tests share: helpers here, servers that misbehave on purpose in fakes/."""
