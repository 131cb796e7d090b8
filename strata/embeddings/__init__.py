"""Texts as vectors: the language model, its fine-tuning, and the index of item vectors."""
