"""The rules; written by `python -m dispatchfile.lint.catalogue`, not by hand."""

RULES = (
    ('DF005', 'unused-suppression', 'warning', 'safe', False, False, False, '', False, 'language.unused_suppression', 'An ignore comment silences nothing.'),
    ('DF201', 'undefined-input', 'error', 'unsafe', False, False, False, '', False, 'references.undefined_input', 'A task takes an input that is neither a resource nor a task.'),
    ('DF601', 'untagged-image', 'warning', '', False, False, False, 'image', True, 'security.untagged_image', "A step's image has neither a tag nor a digest."),
    ('DF701', 'deprecated-condition', 'warning', 'safe', False, False, False, '', True, 'deprecated.deprecated_condition', 'A condition on the repository stands directly under `on`, not under `on.git`.'),
    ('DF702', 'deprecated-condition-field', 'warning', 'safe', False, False, False, '', True, 'deprecated.deprecated_condition_field', 'A condition uses an older field: `branches` of a pull request, or `revision` of a cron condition.'),
    ('DF703', 'deprecated-deps', 'warning', 'safe', False, False, False, 'deps', True, 'deprecated.deprecated_deps', 'A task lists the tasks it runs after in `deps`.'),
    ('DF704', 'deprecated-field-chain', 'warning', 'safe', False, False, False, '', True, 'deprecated.deprecated_field_chain', 'A field is named by a chain of labels without colons.'),
)
