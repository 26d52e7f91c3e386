"""Deployments: readers of Compose, Kubernetes, Bake, Quadlet and ECS files, and what they make of an image."""
