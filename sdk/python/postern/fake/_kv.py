from __future__ import annotations

from ._state import asked


def get(key: str) -> bytes | None:
    return asked("kv:get", key=key).values.get(key)


def set(key: str, value: bytes, ttl_s: int) -> None:
    asked("kv:set", key=key, value=value, ttl_s=ttl_s).values[key] = value


def delete(key: str) -> None:
    asked("kv:delete", key=key).values.pop(key, None)
