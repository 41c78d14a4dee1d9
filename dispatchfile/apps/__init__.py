"""Applications: what a GitOps repository says is to run, held against what runs.

An application names a repository, a path in it and a revision. Engines bring it about: `local` on the Docker engine,
`kube` on a cluster, and where Argo CD is, `argocd`, which lets it do all the work. Words and exit codes are Argo CD's
(3.6), so that who knows the one knows the other.
"""
