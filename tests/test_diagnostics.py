from dispatchfile.diagnostics import Diagnostic, Severity, errors, in_order
from dispatchfile.errors import Interrupted
from dispatchfile.source import Source, Span


def test_in_order_sorts_errors_before_the_rest_and_by_place() -> None:
    source = Source("f", "abc")
    last = Diagnostic("DF704", Severity.WARNING, "style", Span(source, 0, 1))
    broken = Diagnostic("DF001", Severity.ERROR, "broken", Span(source, 2, 3))
    first = Diagnostic("DF002", Severity.ERROR, "earlier", Span(source, 1, 2))
    nowhere = Diagnostic("DF003", Severity.ERROR, "nowhere")
    assert in_order([last, broken, first, nowhere, broken]) == [nowhere, first, broken, last]
    assert errors([last, broken, nowhere]) == [broken, nowhere]


def test_an_interrupt_exits_with_128_plus_the_signal() -> None:
    assert Interrupted("stopped", signal_number=2).exit_code == 130
