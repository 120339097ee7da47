"""The tests of go-prefetch."""
