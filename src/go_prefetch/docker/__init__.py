"""Image builds: a folder of modules, Dockerfiles and .dockerignore files, printed and judged."""
