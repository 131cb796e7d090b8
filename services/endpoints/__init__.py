"""What can be asked: a module for each family of endpoints, with its requests, answers and fallbacks."""
