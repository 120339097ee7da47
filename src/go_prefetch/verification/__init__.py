"""Checks by Go of zips, trees and `.mod` files, in small module caches made for that.

The user's own `go mod download` belongs to run.
"""
