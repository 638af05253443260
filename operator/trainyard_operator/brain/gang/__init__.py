"""Pods that start, fail and restart as one."""
