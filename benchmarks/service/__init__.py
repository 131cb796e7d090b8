"""What the service promises, measured on the loopback: python -m benchmarks.service."""
