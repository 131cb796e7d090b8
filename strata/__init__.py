"""Strata learns named, tiered interests from behaviour and text, and recommends from them."""

__version__ = "0.1.0"
