"""How much of long work is done."""

import importlib
import operator
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from nanobragg._nanobragg import Experiment, render

Progress = bool | Callable[[int, int], object] | None


class _Listener(Protocol):
    def __call__(self, done: int, total: int, /) -> object: ...
    def close(self) -> None: ...


class _Function:
    """A function of the user, or nothing."""

    def __init__(self, function: Callable[[int, int], object] | None) -> None:
        self.function = function

    def __call__(self, done: int, total: int, /) -> None:
        if self.function is not None:
            self.function(done, total)

    def close(self) -> None:
        pass


class _Bar:
    """A bar of tqdm."""

    def __init__(self, tqdm: Any, unit: str) -> None:
        self.bar = tqdm(unit=unit, leave=True)

    def __call__(self, done: int, total: int, /) -> None:
        self.bar.total = total or None
        self.bar.update(done - self.bar.n)

    def close(self) -> None:
        self.bar.close()


class _Line:
    """A line on a terminal that is written again and again; elsewhere one line at the end."""

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.text = ""

    def __call__(self, done: int, total: int, /) -> None:
        part = f"{100 * done // total:3d} %: " if total else ""
        self.text = f"{part}{done} of {total or '?'} {self.unit}s"
        if sys.stderr.isatty():
            print(f"\r{self.text}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        if self.text:
            print("" if sys.stderr.isatty() else self.text, file=sys.stderr, flush=True)


def listener(progress: Progress, unit: str) -> _Listener:
    """What hears of progress: True is a bar that counts in this unit."""
    if progress is None or isinstance(progress, (bool, np.bool_)) and not progress:
        return _Function(None)
    if not isinstance(progress, (bool, np.bool_)):
        if not callable(progress):
            raise TypeError("progress is True, False or a function of two whole numbers: done and total")
        return _Function(progress)
    try:
        return _Bar(importlib.import_module("tqdm.auto").tqdm, unit)
    except ImportError:
        return _Line(unit)


class _Running(TypedDict, total=False):
    threads: int | None
    precision: Any
    level: Any
    accuracy: float | None
    device: str | None


def images(
    experiments: Iterable[Experiment], *, progress: Progress = None, **options: Unpack[_Running]
) -> Iterator[NDArray[np.float32] | Any]:
    """Render experiments one after the other, such as the shots or frames of a series.

    Parameters
    ----------
    experiments : iterable of Experiment
        Each is asked for when its turn comes, so that a generator keeps no more than one.
    progress : bool or callable, optional
        As in `render`, for images.
    **options
        `threads`, `precision`, `level`, `accuracy`, `device`, as in `render`.

    Yields
    ------
    numpy.ndarray
        As `render` returns it.
    """
    total = operator.length_hint(experiments)
    tell = listener(progress, "image")
    try:
        for number, experiment in enumerate(experiments, start=1):
            image = render(experiment, **options)
            tell(number, max(total, number) if total else 0)
            yield image
    finally:
        tell.close()
