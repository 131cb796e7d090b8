"""Releases: the manifest, the registry, the gate, the model card."""
