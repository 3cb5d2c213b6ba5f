"""Records that come from no file, as a trace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tcpmodel.traces.reader import Trace
from tcpmodel.traces.records import Record, Skipped


class Records(Trace):
    """Records as a trace, numbered anew from 1."""

    path = "records"
    format = "records"

    def __init__(self, records: Iterable[Record], source: str = "") -> None:
        self.source = source
        self.skipped = Skipped()
        self._records = [record._replace(number=number) for number, record in enumerate(records, 1)]

    def records(self) -> Iterator[Record]:
        return iter(self._records)
