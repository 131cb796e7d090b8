"""Adapters of data sources: each reads a platform's data as the same three raw tables."""
