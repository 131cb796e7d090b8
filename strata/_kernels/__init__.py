"""Compiled loops and what they need: top-k, sparse products, trees, Ward's method, threads."""
