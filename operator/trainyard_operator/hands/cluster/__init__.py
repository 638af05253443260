"""The hands of a cluster: watches say when to look, the API server what there is."""
