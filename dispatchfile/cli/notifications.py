"""Who a command tells of what happened, as the user's settings say."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dispatchfile.config import Setting
    from dispatchfile.notify.notifier import Notifier


def notifier(settings: Mapping[str, Setting], note: Callable[[str], None]) -> Notifier:
    """Return what tells those who are to be told; `note` hears what could not be. Raises UsageError."""
    from dispatchfile.notify.notifier import Notifier
    from dispatchfile.notify.targets import targets

    made = settings.get("notifications")
    return Notifier(targets(made.value, made.origin) if made else targets(), note)
