"""A real one-node Kubernetes for machines that have none.

Everything of a cluster lives in one network namespace, one state folder, one run folder and one
control group, all named after the cluster, so that clusters stand side by side and one can be
taken away without a trace.
"""
