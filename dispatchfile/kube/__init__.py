"""A Kubernetes cluster as a place to talk to: which one, how to get in, and what its answers mean.

Objects are plain dicts. lightkube connects (certificates, tokens, proxies); the verbs are our own, because its watch
takes a 410 that comes as an HTTP status for a broken connection, and its logs are split at characters that end no line.
"""
