"""Two stages: candidates from generators, then one ranking of them."""
