"""Interests: themes, points, tiers, names, profiles, corrections, and their pictures."""
