"""Prefect flows: they run the stages of dvc.yaml and move releases, and never import what they run."""

import os

# Prefect reads these when it is imported; what the caller has set stays.
DEFAULTS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "90",  # the first start makes the database
}
for _name, _value in DEFAULTS.items():
    os.environ.setdefault(_name, _value)
