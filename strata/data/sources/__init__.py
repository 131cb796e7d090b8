"""Adapters of data sources: wherever a platform keeps its data, they give the same three tables as read."""
