"""GitHub's cache service on a loopback port: protocols v2 and v1, and the blobs behind them."""

from tests.support.fakes.cache_service.entries import Token
from tests.support.fakes.cache_service.server import CacheService

__all__ = ["CacheService", "Token"]
