"""Built images, read where they lie: archives and layouts on the disk become the same `Image` as a Dockerfile does."""
