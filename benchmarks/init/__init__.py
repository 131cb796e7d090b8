"""How much of public data sets' formats `strata init` understands by itself."""
