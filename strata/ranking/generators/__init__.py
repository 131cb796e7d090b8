"""Candidate generators: each proposes items in one way and explains its proposals."""
