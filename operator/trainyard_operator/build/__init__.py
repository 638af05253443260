"""Builders of Kubernetes objects: plain data in, plain dicts out."""
