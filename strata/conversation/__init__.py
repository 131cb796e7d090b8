"""Conversation: turns that say what somebody wants and does not, on top of lists."""
