"""What the language model understands and says, measured."""
