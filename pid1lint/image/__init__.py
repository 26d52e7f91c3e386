"""The image that a Dockerfile builds: its files, its configuration, the build context that it draws upon."""
