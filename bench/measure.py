"""Times two sides of a comparison in turns and prints the ratio of their medians beside the target. Knows nothing of what
is compared."""

import json
import math
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

Answer = list | int | None


@dataclass
class Side:
    """One way to get an answer. `run` gives the answer and, where it measured them itself, the seconds."""

    name: str
    run: Callable[[], tuple[Answer, float | None]]

    def measure(self) -> tuple[Answer, float]:
        started = time.perf_counter()
        answer, seconds = self.run()
        return answer, time.perf_counter() - started if seconds is None else seconds


@dataclass
class Case:
    """A comparison. `target` is the largest ratio of ours to theirs; None when there is none to meet. `before` runs untimed
    before each round."""

    name: str
    ours: Side
    theirs: Side
    target: float | None
    warm_up: bool = True
    rounds: int | None = None
    before: Callable[[], None] = lambda: None


@dataclass
class Result:
    case: Case
    ours_ms: list[float] = field(default_factory=list)
    theirs_ms: list[float] = field(default_factory=list)
    problem: str = ""

    @property
    def ratio(self) -> float:
        return statistics.median(self.ours_ms) / statistics.median(self.theirs_ms)

    @property
    def verdict(self) -> str:
        if self.problem:
            return self.problem
        if self.case.target is None:
            return ""
        return "met" if self.ratio <= self.case.target else "MISSED"

    def row(self) -> list[str]:
        if self.problem:
            return [self.case.name, "", self.case.theirs.name, "", "", "", self.problem]
        medians = [f"{statistics.median(times):.2f}" for times in (self.ours_ms, self.theirs_ms)]
        target = "" if self.case.target is None else f"{self.case.target:g}"
        return [self.case.name, medians[0], self.case.theirs.name, medians[1], f"{self.ratio:.3f}", target, self.verdict]


def measure(case: Case, rounds: int) -> Result:
    """Runs both sides in turns; answers must agree in every round."""
    result = Result(case)
    try:
        for number in range(-1 if case.warm_up else 0, case.rounds or rounds):
            case.before()
            # Alternating who goes first, so that neither always finds the caches as the other left them.
            sides = [(case.ours, result.ours_ms), (case.theirs, result.theirs_ms)]
            answers = []
            for side, times in sides if number % 2 else reversed(sides):
                answer, seconds = side.measure()
                answers.append(answer)
                if number >= 0:
                    times.append(seconds * 1000)
            if not same(*answers):
                result.problem = f"answers differ: {str(answers[0])[:200]} and {str(answers[1])[:200]}"
                break
    except Exception as error:  # noqa: BLE001 - a case that fails is a line of the table, the others go on
        result.problem = f"{type(error).__name__}: {str(error).splitlines()[0][:200]}"
    return result


def same(left: Answer, right: Answer) -> bool:
    """Whether two answers are equal, but for the order of rows and the last digits of floating-point sums."""
    if left is None or right is None or not isinstance(left, list) or not isinstance(right, list):
        return left == right
    if len(left) != len(right):
        return False
    pairs = zip(sorted(left, key=repr), sorted(right, key=repr))
    return all(len(a) == len(b) and all(map(_equal, a, b)) for a, b in pairs)


def _equal(left: object, right: object) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=1e-9)
    return left == right


def table(rows: Iterable[list[str]], titles: list[str], left: tuple[int, ...]) -> str:
    """Rows as text, the columns in `left` aligned to the left and the others to the right."""
    lines = [titles, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(titles) - 1)]

    def text(line: list[str]) -> str:
        cells = [cell.ljust(width) if n in left else cell.rjust(width) for n, (cell, width) in enumerate(zip(line, widths))]
        return "  ".join([*cells, line[-1]]).rstrip()

    return "\n".join([text(titles), "-" * (sum(widths) + 2 * len(widths) + 6), *(text(line) for line in rows)])


class Program:
    """A program in a process of its own environment, which takes a question as a line of JSON, answers with one, and times itself."""

    def __init__(self, name: str, command: list, stderr: int | None = None):
        self._name = name
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True)

    def call(self, **request: object) -> tuple[Answer, float]:
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        reply = json.loads(line) if line else {"error": f"the process of {self._name} ended with status {self._process.wait()}"}
        if "error" in reply:
            raise RuntimeError(reply["error"])
        return reply["answer"], reply["seconds"]

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()
