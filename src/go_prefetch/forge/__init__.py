"""GitHub and GitLab: which repository, their REST APIs, the inputs of the commands that ask them."""
