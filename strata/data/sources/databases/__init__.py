"""SQL databases as a source: their rows are taken once, into files that DVC versions."""
