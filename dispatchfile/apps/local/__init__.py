"""The engine `local`: manifests of Kubernetes brought about as containers of a Docker engine."""
