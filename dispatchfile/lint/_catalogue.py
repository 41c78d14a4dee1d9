"""The rules; written by `python -m dispatchfile.lint.catalogue`, not by hand."""

RULES = (
    ('DF005', 'unused-suppression', 'warning', 'safe', False, False, False, '', False, 'language.unused_suppression', 'An ignore comment silences nothing.'),
    ('DF201', 'undefined-input', 'error', 'unsafe', False, False, False, '', False, 'references.undefined_input', 'A task takes an input that is neither a resource nor a task.'),
    ('DF601', 'untagged-image', 'warning', '', False, False, False, 'image', True, 'security.untagged_image', "A step's image has neither a tag nor a digest."),
)
