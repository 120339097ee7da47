"""Tests that the fakes behave as the real programs do."""
