"""The hands of a laptop: pods are local processes, Services are relays on loopback."""
