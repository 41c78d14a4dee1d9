"""What `dispatchfile tekton --target NAME` adds: its options, and the objects that it emits, one module a target.

Each has `add_options(parser)` and `emission(args, pipeline, options) -> Emission`.
"""

from __future__ import annotations

from dispatchfile.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

OWN = {
    "--partial": ("triggers", "pac"),
    "--keep-runs": ("pac",),
    "--cancel-in-progress": ("pac",),
    "--git-auth": ("pac",),
    "--webhook-secret": ("triggers",),
    "--token-secret": ("triggers",),
    "--repository": ("triggers",),
    "--rbac": ("triggers",),
    "--kubectl-image": ("triggers",),
    "--members-only": ("triggers",),
}
"""Options, and the targets that take them."""


def check(args: argparse.Namespace, target: str) -> None:
    """Raise UsageError for an option that another target takes."""
    for option, takers in OWN.items():
        if getattr(args, option[2:].replace("-", "_")) and target not in takers:
            raise UsageError(f"{option} goes with --target {' or '.join(takers)}")
