"""The command line: what people type, and what they see of a job.

It decides nothing: it starts the other parts as programs and shows what they say.
"""
