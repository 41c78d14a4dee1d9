"""Kustomizations without kustomize: what most of them have. A field that is not here is an error that names kubectl.

Held against `kubectl kustomize` (kustomize 5.5) by tests/apps/test_kustomization.py.
"""
