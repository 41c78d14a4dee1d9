"""Storage resources with a location: steps that fetch and store it with gsutil, as Tekton did (v0.14).

Its secrets name files: `BOTO_CONFIG` (which makes gsutil speak to S3 as well) and `GOOGLE_APPLICATION_CREDENTIALS`.
"""

from __future__ import annotations

from dispatchfile.model.variables import find
from dispatchfile.tekton import _scripts, names, scripts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from dispatchfile.model.pipeline import Resource
    from dispatchfile.tekton.draft import Draft
    from dispatchfile.tekton.parts import Object

SECRETS = "/var/secret"
_VOLUME = "dispatch-secret-"


def problem(resource: Resource) -> str:
    """Return why a storage resource with a location cannot be reached; "" when nothing speaks against it."""
    location = resource.param.get("location", "")
    if not location.startswith(("gs://", "s3://")):
        return f'has a `location` that begins with neither gs:// nor s3://: "{location}"'
    if any(find(secret.name) or find(secret.key) for secret in resource.secret.values()):
        return "has a variable in a `secret`"
    return ""


def fetch(draft: Draft, resource: Resource, name: str, to: str, *, is_optional: bool) -> Object:
    """Return the step, of this name, that copies a resource to a directory.

    `is_optional`: a task of the run puts the resource out, this one (a cache) or another, so that it may be empty.
    """
    env = {**_env(resource), "STORAGE_TO": to, **({"STORAGE_OPTIONAL": "yes"} if is_optional else {})}
    return _step(draft, resource, name, _scripts.FETCH, env)


def store(draft: Draft, resource: Resource, name: str, source: str) -> Object:
    """Return the step, of this name, that copies a directory to a resource."""
    return _step(draft, resource, name, _scripts.STORE, {**_env(resource), "STORAGE_FROM": source})


def volumes(resources: Iterable[Resource]) -> tuple[Object, ...]:
    """Return the volumes of the secrets of resources, each once."""
    secrets = [secret for resource in resources for secret in resource.secret.values()]
    needed = {secret.name for secret in secrets if not secret.optional}
    return tuple(
        {
            "name": _volume(name),
            "secret": {"secretName": name, **({} if name in needed else {"optional": True})},
        }
        for name in dict.fromkeys(secret.name for secret in secrets)
    )


def _env(resource: Resource) -> dict[str, str]:
    """Return the parameters; that there is a `dir` at all makes it a directory, whatever it says."""
    directory = {"STORAGE_DIR": "yes"} if "dir" in resource.param else {}
    return {"STORAGE_LOCATION": resource.param["location"], **directory}


def _step(draft: Draft, resource: Resource, name: str, script: str, env: dict[str, str]) -> Object:
    secrets = {variable: f"{_path(secret.name)}/{secret.key}" for variable, secret in resource.secret.items()}
    mounts = [
        {"name": _volume(secret), "mountPath": _path(secret), "readOnly": True}
        for secret in dict.fromkeys(secret.name for secret in resource.secret.values())
    ]
    texts = {key: scripts.value(text) for key, text in {**secrets, **env}.items()}
    return scripts.step(name, draft.options.storage_image, script, texts, mounts=mounts)


def _volume(secret: str) -> str:
    return names.label(f"{_VOLUME}{secret}")


def _path(secret: str) -> str:
    return f"{SECRETS}/{secret}"
