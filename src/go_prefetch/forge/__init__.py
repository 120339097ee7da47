"""GitHub's and GitLab's APIs: which repository and token, limits, retries, rate limits, PyGithub.

What the answers mean belongs to history and prune.
"""
