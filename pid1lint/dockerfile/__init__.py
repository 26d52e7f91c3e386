"""The Dockerfile as text: instructions with their places, stages, expansion of variables."""
