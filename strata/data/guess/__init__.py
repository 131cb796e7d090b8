"""Guesses how people's files are written and what their columns mean, and says of each guess how sure it is."""
