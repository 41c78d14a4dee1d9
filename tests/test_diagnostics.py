from dispatchfile.diagnostics import Diagnostic, Severity, errors, in_order
from dispatchfile.errors import Interrupted
from dispatchfile.source import Source, Span


def test_in_order_sorts_by_place_and_drops_repetitions() -> None:
    source = Source("f", "abc")
    late = Diagnostic("DF001", Severity.ERROR, "late", Span(source, 2, 3))
    early = Diagnostic("DF002", Severity.WARNING, "early", Span(source, 0, 1))
    nowhere = Diagnostic("DF003", Severity.INFO, "nowhere")
    assert in_order([late, early, nowhere, late]) == [nowhere, early, late]
    assert errors([late, early, nowhere]) == [late]


def test_an_interrupt_exits_with_128_plus_the_signal() -> None:
    assert Interrupted("stopped", signal_number=2).exit_code == 130
