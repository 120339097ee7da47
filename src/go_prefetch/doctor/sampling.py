"""Sample one source: one small request after the other, each over a new connection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from go_prefetch.base.retry import Deadline
from go_prefetch.doctor.measurement import Role, Sample
from go_prefetch.doctor.probe import BodyLimit, Probe, Reply

# If the first samples get no complete answer, there are no more.
_HOPELESS = 3

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Limits:
    """How much is requested of a source, and when it ends."""

    samples: int
    jobs: int
    stall_timeout: float
    deadline: Deadline


@dataclass(frozen=True)
class Target:
    """A source over HTTP: what is requested in turn, and why a complete answer is not what it should be."""

    name: str  # without passwords
    role: Role
    urls: tuple[str, ...] = field(repr=False)
    most_bytes: int
    problem_of: Callable[[Reply], str]  # of a complete answer

    def sample(self, probe: Probe, number: int, limits: Limits) -> Sample:
        """Make the request with this number."""
        limit = BodyLimit(self.most_bytes, limits.stall_timeout)
        reply = probe.sample(self.urls[number % len(self.urls)], limit, limits.deadline)
        if reply.sample.lost or not reply.status:
            return reply.sample
        return replace(reply.sample, failure=self.problem_of(reply))

    def take_samples(
        self, probe: Probe, limits: Limits, progress: Progress
    ) -> tuple[tuple[Sample, ...], tuple[str, ...]]:
        """Return the samples, and notes about the connection."""
        samples: list[Sample] = []
        for number in range(limits.samples):
            if limits.deadline.passed():
                break
            progress(f"{self.name}: {number + 1} of {limits.samples} samples")
            sample = self.sample(probe, number, limits)
            if sample.lost and limits.deadline.passed():
                break  # doctor's own time is over
            samples.append(sample)
            if len(samples) == _HOPELESS and all(sample.lost for sample in samples):
                break
        way = probe.way(self.urls[0])
        notes = [f"through {way}"] if way else []
        if len(samples) < limits.samples:
            why = "no time left" if limits.deadline.passed() else "no answer to any of them"
            notes.append(f"{len(samples)} of {limits.samples} samples: {why}")
        return tuple(samples), tuple(notes)
