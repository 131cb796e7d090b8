"""What a release answers: lists with reasons, users alike, audiences, trends."""
