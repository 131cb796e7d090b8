"""What happens while a release serves changes a user's interests at once, by the rules of the release itself."""
