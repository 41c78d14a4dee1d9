"""Argo CD as the engine: its Application object is all that is read and written, through the Kubernetes API."""
