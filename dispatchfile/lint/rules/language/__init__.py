"""DF0xx: whether the text can be read at all, and the ignore comments in it."""
