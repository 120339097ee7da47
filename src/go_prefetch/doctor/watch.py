"""Watch sources for hours: one small request to each at even intervals, and figures for each part of the time."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from functools import partial

from go_prefetch.base.background import at_once
from go_prefetch.base.format import duration
from go_prefetch.base.retry import Deadline
from go_prefetch.doctor.measurement import Figures, Measurement, Sample, condense
from go_prefetch.doctor.probe import Probe
from go_prefetch.doctor.sampling import Limits, Progress, Target

_MOST_ROUNDS = 720  # every ten seconds in two hours
_SHORTEST_INTERVAL = 1.0
_MOST_PARTS = 12
_MINUTE, _HOUR = 60, 3600
_PART_SECONDS = (10, 15, 30, *(_MINUTE * m for m in (1, 2, 5, 10, 15, 30)), *(_HOUR * h for h in (1, 2, 4, 6)))
_LONGEST_PART = 24 * _HOUR


@dataclass(frozen=True)
class Series:
    """The samples of a watch, by name of the source. Their `after` is not None."""

    started: datetime
    seconds: float
    interval: float
    samples: Mapping[str, tuple[Sample, ...]]

    def added_to(self, measurement: Measurement) -> Measurement:
        """Return the measurement with these samples too."""
        return replace(measurement, samples=(*measurement.samples, *self.samples.get(measurement.name, ())))

    def parts(self) -> tuple[Part, ...]:
        """Return the figures of each source in each part of the time, without parts that have no sample."""
        length = next((one for one in _PART_SECONDS if one * _MOST_PARTS >= self.seconds), _LONGEST_PART)
        found = []
        for name, samples in self.samples.items():
            numbers = sorted({_part_of(sample, length) for sample in samples})
            for number in numbers:
                figures = condense([sample for sample in samples if _part_of(sample, length) == number])
                ends = min(self.seconds, (number + 1) * length)
                begin, end = (self.started + timedelta(seconds=after) for after in (number * length, ends))
                found.append(Part(name, begin, end, figures))
        return tuple(found)


@dataclass(frozen=True)
class Part:
    """One source in one part of the time of a watch."""

    source: str
    begins: datetime
    ends: datetime
    figures: Figures


def _part_of(sample: Sample, length: int) -> int:
    return int(sample.after or 0.0) // length


def watch(targets: Sequence[Target], probe: Probe, limits: Limits, seconds: float, progress: Progress) -> Series:
    """Sample each target for this time. An interrupt ends it, and what was measured is kept."""
    interval = max(_SHORTEST_INTERVAL, seconds / _MOST_ROUNDS)
    deadline = Deadline.after(seconds)
    own = replace(limits, deadline=deadline)
    started, clock = datetime.now(timezone.utc), time.monotonic
    began = clock()
    taken: dict[str, list[Sample]] = {target.name: [] for target in targets}

    def observe(target: Target) -> None:
        number = 0
        while deadline.wait(max(0.0, began + number * interval - clock())):
            after = clock() - began
            sample = target.sample(probe, number, own)
            if sample.lost and deadline.passed():
                return  # cut short by the end
            taken[target.name].append(replace(sample, after=after))
            progress(f"watching: {len(taken[target.name])} samples of {target.name}, {duration(deadline.left())} left")
            number = max(number + 1, int((clock() - began) / interval))

    try:
        at_once({target: partial(observe, target) for target in targets})
    except KeyboardInterrupt:
        deadline.cancel()
    return Series(started, clock() - began, interval, {name: tuple(samples) for name, samples in taken.items()})
