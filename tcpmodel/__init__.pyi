from tcpmodel._version import __version__ as __version__
from tcpmodel.checking.outcome.findings import ConnectionReport as ConnectionReport
from tcpmodel.checking.outcome.findings import Diagnostic as Diagnostic
from tcpmodel.checking.outcome.findings import InputReport as InputReport
from tcpmodel.checking.outcome.findings import Report as Report
from tcpmodel.checking.run import check as check
from tcpmodel.language.errors import SpecError as SpecError
from tcpmodel.language.errors import SpecErrors as SpecErrors
from tcpmodel.model.load import load_spec as load_spec
from tcpmodel.model.load import parse_spec as parse_spec
from tcpmodel.model.spec import Spec as Spec
from tcpmodel.report.check_json import report_document as report_document
from tcpmodel.traces.open import open_trace as open_trace
from tcpmodel.traces.records import Packet as Packet
from tcpmodel.traces.records import StateRecord as StateRecord
from tcpmodel.traces.records import TraceError as TraceError

__all__: list[str]
