"""What happens while a release serves: the journal of events, items, corrections and erasures, and what follows."""
