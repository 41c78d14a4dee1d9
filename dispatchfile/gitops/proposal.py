"""The pull request of an update: opened or brought up to date, merged when that is asked for, others tidied away."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dispatchfile.errors import EnvironmentProblem, UsageError
from dispatchfile.gitops import forge
from dispatchfile.gitops.checkout import Checkout
from dispatchfile.gitops.clone import LostRace
from dispatchfile.gitops.flags import Options
from dispatchfile.gitops.forge import ChecksPending, Forge, NoAutoMerge, Place, PullRequest, Unsupported
from dispatchfile.gitops.outcome import Outcome
from dispatchfile.record import replace

if TYPE_CHECKING:
    from dispatchfile.gitops.update import Job, PersonNeeded

CHECKS_WAIT = 600.0
"""Seconds for which checks are waited for where the forge does not merge by itself after them."""


def place_of(checkout: Checkout, options: Options) -> Place | None:
    """Return the place at which a pull request is to be made, or None when none is. Raises UsageError."""
    if not options.create_pull_request:
        return None
    found = forge.place_of(
        checkout.configured,
        provider=options.scm_provider,
        endpoint=options.api_endpoint,
        noted=checkout.provider,
    )
    if found is None and (options.auto_merge or options.close_superseded or options.reopen):
        raise UsageError(
            f"no forge is known that makes pull requests for {checkout.configured.url}",
            help="name it: -scm-provider=NAME, and -api-endpoint=URL where its host does not tell",
        )
    return found


def propose(outcome: Outcome, job: Job, hub: Forge) -> Outcome:
    """See to the pull request of what was pushed; return the outcome with it. Raises EnvironmentProblem."""
    options, mask = job.options, job.clone.masker.text
    title, body = mask(outcome.title), mask(outcome.body)
    pull = hub.find_open(job.branch, job.base)
    opened = pull is None
    if pull is None:
        declined = None if options.reopen else hub.find_declined(job.branch, job.base, outcome.commit)
        if declined:
            job.say(
                f"{declined.url} was closed without a merge: it stays so until the update changes; "
                "--reopen proposes it again"
            )
            return outcome
        pull = hub.create(job.branch, job.base, title, body)
        job.opened(replace(outcome, pull_request=pull.url, opened=True))
    outcome = replace(outcome, pull_request=pull.url, opened=opened)
    try:
        return replace(outcome, merged=_completed(outcome, job, hub, pull, title, body))
    except EnvironmentProblem:
        job.say(f"{pull.url} is open, and not all that was asked for it is done")
        raise


def _completed(outcome: Outcome, job: Job, hub: Forge, pull: PullRequest, title: str, body: str) -> bool:
    """Bring an open pull request up to date, with all that was asked for it; return whether it is merged now."""
    options = job.options
    asked = options.merge_pull_request or options.auto_merge
    if asked or (pull.title, pull.body) != (title, body):
        # Another update may have replaced the branch since, and its pull request says what that one does.
        if not job.clone.is_at(job.branch, outcome.commit):
            job.say(f"{job.branch} holds another update by now, which sees to {pull.url}")
            return False
        if (pull.title, pull.body) != (title, body):
            pull = hub.update(pull.number, title, body)
    if options.label:
        try:
            hub.add_labels(pull.number, options.label)
        except Unsupported as missing:
            job.say(missing.message)
    if options.reviewer:
        hub.request_reviewers(pull.number, options.reviewer)
    return _merged(outcome, job, hub, pull)


def tell_reviewers(needed: PersonNeeded, job: Job, hub: Forge) -> None:
    """Say on the pull request, once for each commit that is in the way, why it is not updated any more."""
    try:
        pull = hub.find_open(job.branch, job.base)
        if pull:
            hub.comment(
                pull.number, f"Updates of this branch wait: {needed.message}. To go on, {needed.help}."
            )
    except EnvironmentProblem as problem:
        job.say(f"the pull request has no comment about it: {problem.message}")


def close_superseded(outcome: Outcome, job: Job, hub: Forge) -> None:
    """Close the open pull requests that older updates of the same files left, and delete their branches."""
    from dispatchfile.gitops import superseded

    why = f"{outcome.pull_request} does" if outcome.pull_request else f"{job.base} holds a newer one"
    for pull in list(hub.open_to(job.base)):
        if pull.head in (job.branch, job.base):
            continue
        tip = superseded.tip_of(pull.head, outcome, job.clone, job.revision)
        if tip is None:
            continue
        hub.close(pull.number, f"Superseded: this older update is not needed any more, {why}.")
        job.say(f"{pull.url} was closed: it is superseded")
        _delete(pull.head, tip.commit, job)


def _merged(outcome: Outcome, job: Job, hub: Forge, pull: PullRequest) -> bool:
    """Merge the pull request as it is asked for; return whether it is merged now."""
    options = job.options
    if not (options.merge_pull_request or options.auto_merge):
        return False
    number, commit = pull.number, outcome.commit
    try:
        merged = hub.merge(number, commit, method=options.merge_method, when_checks_pass=True)
    except NoAutoMerge as problem:
        if not options.merge_pull_request:
            raise
        job.say(f"{problem.message}; waiting for the checks")
        _merge_after_checks(number, commit, job, hub)
        merged = True
    if not merged:
        job.say("the pull request will be merged when its checks pass")
    elif not options.branch:
        # A branch with a name of ours: the next update makes it anew.
        _delete(job.branch, commit, job)
    return merged


def _merge_after_checks(number: int, commit: str, job: Job, hub: Forge) -> None:
    end = time.monotonic() + CHECKS_WAIT
    pause = 1.0
    while True:
        try:
            hub.merge(number, commit, method=job.options.merge_method)
        except ChecksPending as pending:
            if time.monotonic() > end:
                raise ChecksPending(
                    f"the checks did not pass within {CHECKS_WAIT / 60:.0f} min: {pending.message}",
                    help="it is open: merge it there, or run the update again",
                ) from pending
        else:
            return
        time.sleep(pause)
        pause = min(pause * 1.5, 15.0)


def _delete(branch: str, commit: str, job: Job) -> None:
    """Delete a branch that is done with, unless somebody pushed to it meanwhile or the forge did it already."""
    try:
        job.clone.delete(branch, commit)
    except LostRace:
        return
    except EnvironmentProblem as problem:
        job.say(f"{branch} is left there: {problem.message}")
