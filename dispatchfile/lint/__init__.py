"""Finds mistakes: the rules, what is looked at, ignore comments, and fixes."""
