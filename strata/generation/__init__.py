"""Texts from a local model, an endpoint or a template, checked against the evidence they were given."""
