"""Evaluation: splits by time, windows of users, metrics, tuning, the table of methods."""
