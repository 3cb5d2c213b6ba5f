"""The compiled express lane; see ``express``, which is its only user."""

from collections.abc import Callable
from typing import Any

INTERFACE: int
REMEMBERED: int
TEXTS: int
RECENT: int
QUIET: int

class Express:
    """The packets of one input, for one spec."""

    begun: int
    pending: int

    def __init__(
        self,
        form_of: Callable[..., Any],
        plan_of: Callable[..., Any],
        fresh_of: Callable[..., Any],
        name_of: Callable[..., Any],
        standing_of: Callable[..., Any],
        awake: int,
        /,
    ) -> None: ...
    def run(
        self,
        buffer: bytes,
        at: int,
        size: int,
        number: int,
        last: int,
        big: bool,
        blocks: bool,
        unit: int,
        offset: int,
        limit: int,
        /,
    ) -> tuple[int, int, int, int, int, int, int, int, bytes, list[Any]]: ...
    def adopt(
        self,
        connection: Any,
        number: int,
        side: int,
        known: Any,
        numbers: Any,
        notes: Any,
        noted: Any,
        sources: tuple[str, str],
        last_time: int,
        whole: tuple[int, int, int, int, int | None, Any] | None,
        /,
    ) -> bool: ...
    def give_back(self, connection: Any, /) -> None: ...
    def clear(self) -> None: ...
    def fetch(self, number: int, flow: bytes, /) -> tuple[Any, ...] | None: ...
    def keep_off(self, number: int, flow: bytes, /) -> None: ...
    def forget(self) -> None: ...
    def drain(
        self,
        start: int,
        most: int,
        few: int,
        before: int,
        origin: int,
        several: int,
        told: Callable[..., int],
        known: dict[int, int],
        /,
    ) -> tuple[int, list[Any], list[str], list[Any]]: ...
    def firsts(self, most: int, /) -> list[Any]: ...
    def counts(self) -> tuple[int, int, int]: ...
    def stale(self, known: Any, /) -> None: ...
    def copy(
        self, source: str, ip_id: int, number: int, flags: int | None, ttl: int, time: int | None, /
    ) -> tuple[int, int | None, int, int | None] | None: ...
    def text(
        self, source: str, destination: str, ttl: int, number: int, length: int, total: int, time: int, /
    ) -> int | None: ...
    def place(
        self, source: str, destination: str, ttl: int, number: int, run: int, since: int, total: int, /
    ) -> None: ...
