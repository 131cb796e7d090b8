"""A made data set of any size: users with planted interests in a catalogue whose texts say what it holds."""
