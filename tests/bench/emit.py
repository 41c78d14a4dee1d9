"""How long it takes to emit large files for a cluster: time a task, beside that of the smallest file.

    python tests/bench/emit.py                  files of 250, 500, 1,000 and 2,000 tasks, the best of three rounds
    python tests/bench/emit.py 1000 --rounds 5

Each task clones a repository, every second one reads what another one said. Measured are the whole command
(`dispatchfile tekton --kind run`) and, within it, the emission of a plan that is there already. Prints processor
seconds and ratios of one run and asserts nothing: machines differ. That the second is linear is a test of
`tests/tekton/test_emit.py`.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

SIZES = (250, 500, 1000, 2000)


def main() -> int:
    """Measure and print."""
    from tests.tekton.sources import large

    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("sizes", nargs="*", type=int, metavar="TASKS", help=f"default: {SIZES}")
    options.add_argument("--rounds", type=int, default=3, metavar="N")
    args = options.parse_args()
    print(f"{'tasks':>8}{'command':>12}{'a task':>12}{'ratio':>8}{'emission':>12}{'a task':>12}{'ratio':>8}")
    first: tuple[float, float] | None = None
    for size in args.sizes or SIZES:
        text = large(size)
        took = (min(command(text) for _ in range(args.rounds)), emission(text, args.rounds))
        each = (took[0] / size, took[1] / size)
        first = first or each
        columns = zip(took, each, first, strict=True)
        cells = (f"{all_:>10.2f} s{one * 1000:>9.2f} ms{one / start:>8.2f}" for all_, one, start in columns)
        print(f"{size:>8}{''.join(cells)}", flush=True)
    return 0


def command(text: str) -> float:
    """Return the processor seconds of the whole command on a file."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "Dispatchfile").write_text(text, encoding="utf-8")
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
        identity = ("-c", "user.name=Bench", "-c", "user.email=bench@example.com")
        for words in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-qm", "Bench")):
            subprocess.run(["git", *identity, *words], cwd=folder, env=environment, check=True)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        words = ("-m", "dispatchfile", "tekton", "-q", "--kind", "run")
        subprocess.run(
            [sys.executable, *words], cwd=folder, check=True, stdout=subprocess.DEVNULL,
            env={**environment, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def emission(text: str, rounds: int) -> float:
    """Return the processor seconds from a plan to the text of its objects, the best of so many rounds."""
    from dispatchfile.plan.graph import make
    from dispatchfile.tekton import emit, manifest
    from dispatchfile.tekton.options import Options
    from tests.tekton.events import PUSH
    from tests.tekton.sources import pipeline_of

    plan = make(pipeline_of(text), PUSH)
    found = []
    for _ in range(rounds):
        began = time.process_time()
        manifest.text(emit.emit(plan, Options("shop"), "run").objects)
        found.append(time.process_time() - began)
    return min(found)


if __name__ == "__main__":
    raise SystemExit(main())
