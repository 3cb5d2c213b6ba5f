"""tcpmodel: a formal model of TCP and UDP, and a checker of captures and logs against it.

For programs::

    import tcpmodel

    specs = [tcpmodel.load_spec("tcp"), tcpmodel.load_spec("udp")]
    report = tcpmodel.check(["capture.pcap"], specs)
    for connection in report.connections:
        print(connection.id, connection.verdict, connection.reasons)
    document = tcpmodel.report_document(report)

Every public name is listed in ``__all__`` and is loaded when it is first used. Other names of the package may change
without notice.

Owns: the public names and where each of them is defined.
Must never hold: an import of a part of the package, which would make every start pay for it. The types that tools see
stand in ``__init__.pyi``.
"""

from tcpmodel._version import __version__

_HOME = {
    "load_spec": "tcpmodel.model.load",
    "parse_spec": "tcpmodel.model.load",
    "Spec": "tcpmodel.model.spec",
    "SpecError": "tcpmodel.language.errors",
    "SpecErrors": "tcpmodel.language.errors",
    "check": "tcpmodel.checking.run",
    "Report": "tcpmodel.checking.outcome.findings",
    "InputReport": "tcpmodel.checking.outcome.findings",
    "ConnectionReport": "tcpmodel.checking.outcome.findings",
    "Diagnostic": "tcpmodel.checking.outcome.findings",
    "report_document": "tcpmodel.report.check_json",
    "open_trace": "tcpmodel.traces.open",
    "Packet": "tcpmodel.traces.records",
    "StateRecord": "tcpmodel.traces.records",
    "TraceError": "tcpmodel.traces.records",
}
"""Public names and the modules that define them."""

__all__ = [  # noqa: RUF022 - in the order of use
    "__version__",
    "load_spec",
    "parse_spec",
    "Spec",
    "SpecError",
    "SpecErrors",
    "check",
    "Report",
    "InputReport",
    "ConnectionReport",
    "Diagnostic",
    "report_document",
    "open_trace",
    "Packet",
    "StateRecord",
    "TraceError",
]


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for."""
    if name not in _HOME:
        raise AttributeError(f"module 'tcpmodel' has no attribute '{name}'")
    import importlib

    value: object = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Public names, loaded or not."""
    return sorted({*globals(), *__all__})
