"""The command `strata`."""
