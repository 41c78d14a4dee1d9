"""What the objects that wait for events have in common: what the user asks of them, their secret and accounts."""

from __future__ import annotations

from dispatchfile.model.pipeline import SecretKey
from dispatchfile.record import Record
from dispatchfile.tekton import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.tekton.options import Options

KUBECTL_IMAGE = "alpine/kubectl:1.34.1"
"""Has kubectl."""


class Settings(Record):
    """What the user asks of these objects beyond the options of all objects.

    `webhook_secret` holds what webhooks are signed with (None: key `secret` of NAME-webhook), `token_secret` a token
    that may list the files of a pull request. `repository` is the URL that schedules and pushed images clone and
    `revision` what of it, "" for its default branch; `rbac` asks for the service accounts and their rights. With
    `partial` an action that Triggers cannot start is a warning; with `members_only` comments of strangers start nothing.
    """

    webhook_secret: SecretKey | None = None
    token_secret: SecretKey | None = None
    rbac: bool = False
    kubectl_image: str = KUBECTL_IMAGE
    repository: str = ""
    revision: str = ""
    partial: bool = False
    members_only: bool = False


def webhook_secret(options: Options, settings: Settings) -> SecretKey:
    """Return the key of the secret that webhooks are signed with."""
    return settings.webhook_secret or SecretKey(names.label(f"{options.name}-webhook"), "secret")


def listener_account(options: Options) -> str:
    """Return the name of the service account as which the EventListener runs."""
    return names.label(f"{options.name}-listener")


def schedule_account(options: Options) -> str:
    """Return the name of the service account as which schedules create their runs."""
    return names.label(f"{options.name}-schedule")
