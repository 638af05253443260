"""The contract between Trainyard's parts.

Everything that two parts must agree on lives here and nowhere else: the fields of a
TrainingJob, its status, the documents that pods leave behind, names, labels, ports, paths
and exit codes. This package imports nothing of Trainyard's other packages.
"""
