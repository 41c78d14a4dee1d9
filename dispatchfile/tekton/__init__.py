"""The same plan for a cluster: objects of Tekton v1, Tekton Triggers, and Pipelines-as-Code."""
