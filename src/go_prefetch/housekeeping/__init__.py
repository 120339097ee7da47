"""What can go: entries of GitHub's cache that nothing will read any more, modules of a pool that nothing has used."""
