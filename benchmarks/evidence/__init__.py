"""The measurements by which Strata proves itself: one module a section, one file of rows for all of them."""
