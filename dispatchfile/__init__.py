"""Interpreter and toolchain for Dispatchfiles, the declarative pipeline files of Dispatch."""

__version__ = "0.1.0"
