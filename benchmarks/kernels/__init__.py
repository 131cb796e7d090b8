"""Own code beside the library that a person would take in its place, alone and within whole calls and stages."""
