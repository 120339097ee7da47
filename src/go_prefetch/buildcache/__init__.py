"""Go's build cache on disk: what is in it, what a job has used of it, and how restored files get into it.

Nothing here removes a file that was there before. What the files look like is in `golang/build_cache.py`. Module files
are in `modfiles/`.
"""
