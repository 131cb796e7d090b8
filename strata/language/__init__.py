"""Understanding words: clauses, what they speak for and against, and how near they lie to what a catalogue has."""
