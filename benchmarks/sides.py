"""Sides of a comparison, each in a process of its own, that take turns.

Every side keeps its model between rounds and does nothing while another one works. A side may run in another Python
environment: it is the same script, called with `--side NAME`. Times are seconds of the processor on one thread
(`time.process_time`), which a busy machine lengthens little; wall time is kept beside it.
"""

import json
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

_MARK = "@result "
Result = dict[str, Any]


def take_turns(commands: Mapping[str, Sequence[str]], rounds: int) -> dict[str, list[Result]]:
    """Results of every side, round by round.

    Args:
        commands: `{side: arguments}`, the first of them the Python that runs it.
    """
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    found: dict[str, list[Result]] = {name: [] for name in commands}
    order = list(commands)
    with ExitStack() as stack:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        processes = {
            name: stack.enter_context(subprocess.Popen(command, text=True, env=environment, **pipes))
            for name, command in commands.items()
        }
        for number in range(rounds):
            for name in order:
                process = processes[name]
                process.stdin.write(f"{number}\n")
                process.stdin.flush()
                result = next((line for line in process.stdout if line.startswith(_MARK)), None)
                if result is None:
                    raise SystemExit(f"{name}: ended in round {number}; its message is above")
                found[name].append(json.loads(result.removeprefix(_MARK)))
                print(f"round {number}, {name}: {describe(found[name][-1])}", file=sys.stderr)
            random.Random(number).shuffle(order)
        for process in processes.values():
            process.stdin.close()
    return found


def describe(result: Result) -> str:
    """A result's numbers in a line."""
    return ", ".join(f"{key} {value:.4g}" for key, value in result.items() if type(value) in (int, float))


def serve(work: Callable[[int], Result]) -> None:
    """Be a side: do the work once for every line that the other process sends, and answer with its result."""
    import torch

    torch.set_num_threads(1)
    for line in sys.stdin:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        result = work(int(line))
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(_MARK + json.dumps({**result, "peak_before": peak, "peak": after}), flush=True)


class StepClock:
    """Seconds of the processor and of the wall at the end of each step."""

    def __init__(self) -> None:
        self.processor, self.wall = [time.process_time()], [time.perf_counter()]

    def tick(self) -> None:
        """A step is done."""
        self.processor.append(time.process_time())
        self.wall.append(time.perf_counter())

    def rate(self, rows: int, skipped: int = 1) -> Result:
        """Rows a second, `rows` a step; the first steps are a warm-up."""
        steps = len(self.processor) - 1 - skipped
        took, wall = (times[-1] - times[skipped] for times in (self.processor, self.wall))
        return {"pairs_per_second": rows * steps / took, "pairs_per_wall_second": rows * steps / wall}


def ratios(found: Mapping[str, Sequence[Result]], key: str, first: str) -> dict[str, list[float]]:
    """`{side: first side's figure over this side's, round by round}`."""
    return {
        name: [ours[key] / theirs[key] for ours, theirs in zip(found[first], results, strict=True)]
        for name, results in found.items()
    }


def spread(values: Sequence[float]) -> str:
    """Median, lowest and highest: `1.87 (1.75 to 1.95)`."""
    return f"{statistics.median(values):.3g} ({min(values):.3g} to {max(values):.3g})"


def median(results: Sequence[Result], key: str) -> float:
    """Over the rounds."""
    return statistics.median(result[key] for result in results)
