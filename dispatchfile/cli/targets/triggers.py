"""`dispatchfile tekton --target triggers`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from dispatchfile.cli.parser import Parser
    from dispatchfile.model.pipeline import Pipeline
    from dispatchfile.tekton.emit import Emission
    from dispatchfile.tekton.options import Options


def add_options(_parser: Parser) -> None:
    """Add the options of this target."""


def emission(_args: argparse.Namespace, pipeline: Pipeline, options: Options) -> Emission:
    """Return the objects for all actions; raises EvaluationError for what the target cannot express."""
    from dispatchfile.late import module

    made: Emission = module("dispatchfile.tekton.triggers").objects(pipeline, options)
    return made
