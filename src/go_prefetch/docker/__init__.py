"""Image builds: the module folder, and checks and templates for Dockerfiles and .dockerignore files."""
