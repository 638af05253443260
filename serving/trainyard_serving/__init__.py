"""The program of Trainyard's serving pods: one LiteRT model behind two REST protocols.

`python -m trainyard_serving --help` says how it is told what to serve. It imports no
TensorFlow: a pod needs some 60 MB. The model knows nothing of the protocols, the protocols
nothing of LiteRT, and only `server` knows of signals and sockets.
"""
