"""Service accounts and their rights, for the objects that wait for events.

The listener gets the two roles that Triggers ships for listeners; a schedule may create PipelineRuns, and nothing else.
"""

from __future__ import annotations

from dispatchfile.errors import UsageError
from dispatchfile.tekton import names, parts
from dispatchfile.tekton.triggers import waiting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.tekton.options import Options
    from dispatchfile.tekton.parts import Object

RBAC = "rbac.authorization.k8s.io"
LISTENER_ROLE = "tekton-triggers-eventlistener-roles"
LISTENER_CLUSTER_ROLE = "tekton-triggers-eventlistener-clusterroles"


def objects(options: Options, *, listener: bool, schedule: bool) -> list[Object]:
    """Return accounts and rights of a listener and of schedules; raises UsageError where no namespace is known."""
    if not options.namespace:
        raise UsageError(
            "--rbac needs to know the namespace: a ClusterRoleBinding names that of its account",
            help="give --namespace NAME",
        )
    made: list[Object] = []
    if listener:
        account = waiting.listener_account(options)
        everywhere = names.label(f"{options.namespace}-{account}")
        made += (
            _account(account, options),
            _binding("RoleBinding", account, account, options, "ClusterRole", LISTENER_ROLE),
            _binding(
                "ClusterRoleBinding", everywhere, account, options, "ClusterRole", LISTENER_CLUSTER_ROLE
            ),
        )
    if schedule:
        account = waiting.schedule_account(options)
        rule = {"apiGroups": ["tekton.dev"], "resources": ["pipelineruns"], "verbs": ["create"]}
        made += (
            _account(account, options),
            {
                "apiVersion": f"{RBAC}/v1",
                "kind": "Role",
                "metadata": parts.metadata(account, options),
                "rules": [rule],
            },
            _binding("RoleBinding", account, account, options, "Role", account),
        )
    return made


def _account(name: str, options: Options) -> Object:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": parts.metadata(name, options)}


def _binding(kind: str, name: str, account: str, options: Options, role_kind: str, role: str) -> Object:
    metadata = parts.metadata(name, options)
    if kind == "ClusterRoleBinding":
        del metadata["namespace"]
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": kind,
        "metadata": metadata,
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": options.namespace}],
        "roleRef": {"apiGroup": RBAC, "kind": role_kind, "name": role},
    }
