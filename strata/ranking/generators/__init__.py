"""Generators: each proposes items in one way, and says what led to an item and how its reason reads."""
