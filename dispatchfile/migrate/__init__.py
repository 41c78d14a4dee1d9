"""Older files made new: deprecated fields, the old syntax of CUE, the old first line, and other flavours."""
