"""Pools on storage of objects: buckets (S3, GCS, Azure Blob) and HTTP servers.

A pool has the layout of a directory pool, as objects. `port` says what is asked of the storage, and one module for each
client library does it. What Go has to say of the files belongs into `verification`; pools on a disk into
`directory_pool`.
"""
