"""Carry built images through a GitOps repository to a deployment."""
