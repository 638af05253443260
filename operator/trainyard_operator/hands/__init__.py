"""Two pairs of hands that carry plans out: a cluster's, and a laptop's processes."""
