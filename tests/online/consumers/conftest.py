"""What streams come from."""

from tests.online.consumers.brokers import broker

__all__ = ["broker"]
