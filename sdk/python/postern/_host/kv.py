from __future__ import annotations

from ._asked import NotRequested, asked

try:
    from wit_world.imports import state
except ImportError:
    raise NotRequested("kv") from None


def get(key: str) -> bytes | None:
    return asked(lambda: state.get(key))


def set(key: str, value: bytes, ttl_s: int) -> None:
    asked(lambda: state.set(key, value, ttl_s))


def delete(key: str) -> None:
    asked(lambda: state.delete(key))
