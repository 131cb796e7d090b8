"""Streams of events that other systems write, and what brings them into the journal."""
