"""The CUE-like language: text to tree (parser) and tree to value (evaluate)."""
