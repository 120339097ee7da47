"""GitHub's and GitLab's APIs: which repository and token, attempts, rate limits, pages.

What is made of the answers belongs to history and prune.
"""
