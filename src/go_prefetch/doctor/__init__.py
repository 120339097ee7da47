"""Measure proxies and stores, look at the surroundings, and recommend."""
