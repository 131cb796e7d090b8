"""Tables of interactions, items and users: read, cleaned, and as columns in memory."""
