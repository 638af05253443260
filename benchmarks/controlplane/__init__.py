"""Measures the operator: its speed, its CPU, its memory and what it asks the API server for.

Everything but the containers is real: API server, etcd, controllers, scheduler and the operator as
it ships. The nodes are played, so that a machine of two cores can have thousands of pods.
"""
