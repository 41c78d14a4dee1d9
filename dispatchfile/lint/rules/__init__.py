"""The rules, a module each, in a folder for each group."""
