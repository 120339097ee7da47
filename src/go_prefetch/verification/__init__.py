"""What Go has to say of zips, trees and `.mod` files, in small module caches of our making.

The user's own `go mod download` belongs to run.
"""
