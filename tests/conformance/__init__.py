"""Holds how Compose files are read against compose-go's own tests, and against what podman-compose makes of them."""
