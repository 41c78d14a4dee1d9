"""The language server: what an editor asks about a Dispatchfile, and the answers (LSP 3.17)."""
