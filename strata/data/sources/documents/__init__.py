"""Folders of documents as a source: items that people read, or people's own writing."""
