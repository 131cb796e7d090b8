"""Models of behaviour alone: EASE, item-kNN, user-kNN, association rules, ALS, popularity."""
