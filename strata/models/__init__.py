"""Collaborative models: EASE, item-kNN, user-kNN, association rules, ALS, popularity."""
