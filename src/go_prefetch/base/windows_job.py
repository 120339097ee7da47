"""Windows: a job object, which ends a process and its children on request, or when this process ends.

The job does not include a child that the process starts within its first microseconds, before it is in the job.
"""

from __future__ import annotations

import ctypes
import subprocess

_KILL_ON_JOB_CLOSE = 0x2000
_ACCOUNTING, _EXTENDED_LIMITS = 1, 9  # JobObjectBasicAccountingInformation, JobObjectExtendedLimitInformation


class _Limits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION: its basic part, IO_COUNTERS, and four sizes of memory."""

    _fields_ = (
        ("per_process_user_time", ctypes.c_int64),
        ("per_job_user_time", ctypes.c_int64),
        ("flags", ctypes.c_uint32),
        ("minimum_working_set", ctypes.c_size_t),
        ("maximum_working_set", ctypes.c_size_t),
        ("active_processes", ctypes.c_uint32),
        ("affinity", ctypes.c_size_t),
        ("priority_class", ctypes.c_uint32),
        ("scheduling_class", ctypes.c_uint32),
        ("io_counters", ctypes.c_uint64 * 6),
        ("memory", ctypes.c_size_t * 4),
    )


class _Accounting(ctypes.Structure):
    """JOBOBJECT_BASIC_ACCOUNTING_INFORMATION: times in units of 100 ns, and numbers of faults and processes."""

    _fields_ = (
        ("user_time", ctypes.c_int64),
        ("kernel_time", ctypes.c_int64),
        ("times_of_this_period", ctypes.c_int64 * 2),
        ("counts", ctypes.c_uint32 * 4),
    )


class Job:
    """The job of one process. It may be nested in the job of a CI runner (Windows 8 and later)."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._kernel32 = getattr(ctypes, "windll").kernel32  # noqa: B009 - mypy knows it on Windows only
        self._kernel32.CreateJobObjectW.restype = ctypes.c_void_p
        self._handle = ctypes.c_void_p(self._kernel32.CreateJobObjectW(None, None))
        self._limit(_KILL_ON_JOB_CLOSE)
        self._kernel32.AssignProcessToJobObject(self._handle, ctypes.c_void_p(int(getattr(process, "_handle", 0))))

    def cpu_seconds(self) -> float:
        """Return the CPU time of the process and its children, also of those that have ended."""
        seen = _Accounting()
        size, written = ctypes.sizeof(seen), ctypes.c_uint32()
        asked = self._kernel32.QueryInformationJobObject
        if not asked(self._handle, _ACCOUNTING, ctypes.byref(seen), size, ctypes.byref(written)):
            return _cpu_seconds(self._process)
        return max(float(seen.user_time + seen.kernel_time) / 1e7, _cpu_seconds(self._process))

    def end(self) -> None:
        """End every process in it."""
        self._kernel32.TerminateJobObject(self._handle, 1)

    def release(self) -> None:
        """Do not end the processes in it any more."""
        self._limit(0)
        self._kernel32.CloseHandle(self._handle)

    def _limit(self, flags: int) -> None:
        limits = _Limits(flags=flags)
        size = ctypes.sizeof(limits)
        self._kernel32.SetInformationJobObject(self._handle, _EXTENDED_LIMITS, ctypes.byref(limits), size)


def _cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """Return GetProcessTimes of the process alone: kernel and user time, in units of 100 ns."""
    created, exited, kernel, user = (ctypes.c_ulonglong() for _ in range(4))
    handle = ctypes.c_void_p(int(getattr(process, "_handle", 0)))
    kernel32 = getattr(ctypes, "windll").kernel32  # noqa: B009 - mypy knows it on Windows only
    times = [ctypes.byref(value) for value in (created, exited, kernel, user)]
    return (kernel.value + user.value) / 1e7 if kernel32.GetProcessTimes(handle, *times) else 0.0
