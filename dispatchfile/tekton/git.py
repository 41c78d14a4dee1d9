"""Git resources as inputs: a step that clones, in each task (or in one task for all, with `--workspace pvc`).

Parameters are those of Tekton's git resource (v0.14). As then, each task has a checkout of its own and sees no changes
of others; with a volume the tasks share one.
"""

from __future__ import annotations

import re

from dispatchfile.errors import UsageError
from dispatchfile.model.variables import find
from dispatchfile.tekton import _scripts, scripts
from dispatchfile.tekton.draft import CONTEXT_PARAMS
from dispatchfile.tekton.parts import WORKSPACE, Binding, step_template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dispatchfile.model.pipeline import Resource
    from dispatchfile.tekton.draft import Draft
    from dispatchfile.tekton.parts import Object

_NOT_IN_REVISIONS = re.compile(r"[\s:*?\[]")
_PROXIES = {"httpProxy": "http_proxy", "httpsProxy": "https_proxy", "noProxy": "no_proxy"}
"""Parameters, and the variables as curl reads them for every kind of URL: in small letters."""


def problem(resource: Resource) -> str:
    """Return why a git resource cannot be cloned, as far as its parameters tell; "" when nothing speaks against it."""
    param = resource.param
    url = param.get("url", "").strip()
    if not url:
        return "has no `url`"
    if not find(url):
        from dispatchfile import remote

        try:
            remote.parse(url)
        except UsageError as problem:
            return f"cannot be cloned: {problem.message}"
    for name in ("url", "revision", "refspec"):
        if param.get(name, "").strip().startswith("-"):
            return f"has a `{name}` that begins with a dash"
    revision = param.get("revision", "").strip()
    if not find(revision) and _NOT_IN_REVISIONS.search(revision):
        return f'has a `revision` that git would not take for one: "{revision}"'
    depth = param.get("depth", "").strip()
    if depth and not find(depth) and not (depth.isascii() and depth.isdecimal()):
        return f'has a `depth` that is no number: "{depth}"'
    return ""


def is_out_of_reach(resource: Resource) -> bool:
    """Return whether the URL is a path or a loopback host, which in a pod are its own."""
    from dispatchfile import remote

    url = resource.param.get("url", "").strip()
    return not find(url) and remote.parse(url).local


def clone(draft: Draft, resource: Resource, name: str, to: str, folders: Sequence[str] = ()) -> Object:
    """Return the step, of this name, that clones a resource to a directory, and makes other `folders` besides."""
    param = {key: text.strip() for key, text in resource.param.items()}
    depth = param.get("depth", "")
    env = {
        "CLONE_TO": to,
        "CLONE_URL": param.get("url", ""),
        "CLONE_REVISION": param.get("revision", ""),
        "CLONE_DEPTH": {"0": "0", "1": ""}.get(str(int(depth)), depth) if depth.isdecimal() else depth,
        "CLONE_SUBMODULES": "false" if _is_false(param.get("submodules", "")) else "",
        "CLONE_REFSPEC": param.get("refspec", ""),
        "GIT_SSL_NO_VERIFY": "true" if _is_false(param.get("sslVerify", "")) else "",
        **{variable: param.get(name, "") for name, variable in _PROXIES.items()},
    }
    given = {key: scripts.value(text) for key, text in env.items() if text}
    args = [scripts.value(one) for one in folders]
    return scripts.step(name, draft.options.git_image, _scripts.CLONE, given, args)


def _is_false(text: str) -> bool:
    return text.lower() == "false"


def is_shared(draft: Draft, resource: Resource) -> bool:
    """Return whether an input is cloned once, onto the run's volume, for all tasks that take it."""
    return (
        draft.options.workspace == "pvc"
        and resource.type == "git"
        and resource.name not in draft.makers
        and not problem(resource)
    )


def shared(draft: Draft) -> Iterator[Resource]:
    """Yield the inputs that are cloned once for all tasks."""
    taken = draft.resources(name for name, takers in draft.takers.items() if takers)
    return (resource for resource in taken if is_shared(draft, resource))


def binding(draft: Draft, resource: Resource) -> Binding:
    """Return the workspace of a task in which it has an input that is cloned once."""
    name = draft.resource_names[resource.name]
    return Binding(f"input-{name}", f"/workspace/{resource.name}", f"git/{name}")


def clone_task(draft: Draft, resource: Resource) -> Object:
    """Return the task of the Pipeline that clones an input onto the run's volume."""
    bound = binding(draft, resource)
    step = clone(draft, resource, "clone", bound.mount_path)
    texts = [variable["value"] for variable in step["env"]]
    used = [param for param in CONTEXT_PARAMS.values() if any(f"$(params.{param})" in text for text in texts)]
    made: Object = {"name": draft.clone_names[resource.name]}
    spec: Object = {}
    if used:
        made["params"] = [{"name": param, "value": f"$(params.{param})"} for param in used]
        spec["params"] = [{"name": param, "type": "string"} for param in used]
    made["workspaces"] = [{"name": bound.name, "workspace": WORKSPACE, "subPath": bound.sub_path}]
    spec["workspaces"] = [{"name": bound.name, "mountPath": bound.mount_path}]
    made["taskSpec"] = {**spec, "stepTemplate": step_template(), "steps": [step]}
    return made
