"""The encoding of an archive: one zstd stream of zips rewritten as stored, or the plain bytes.

zstd is Python 3.14's own, else the `zstd` program. A stored zip compresses better in one stream with all others than
deflated alone, and Go unpacks it without inflating. Each kind of zstd reads the output of the other.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from go_prefetch.base import process_group
from go_prefetch.base.background import run_in_background
from go_prefetch.base.child_environment import environment_of
from go_prefetch.base.programs import find_program
from go_prefetch.modfiles.zip_repack import Writable

_LEVEL = 3
_WINDOW_LOG = 27  # as `--long=27`: 128 MiB, the most that every zstd decodes by default
# A seventh less work than the defaults for the same size: long matches are searched half as often, and the jobs of the
# threads, which do not find each other's short matches, are larger (2 MiB by default).
_LONG_HASH_RATE_LOG = 8
_LONG_HASH_LOG = 19
_JOB = 8 << 20
_PIECE = 1 << 20
_F_SETPIPE_SZ = 1031  # fcntl(2), Linux


class ArchiveError(Exception):
    """An archive that is damaged or not an archive."""


class Readable(Protocol):
    """Bytes in order."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none at the end."""


@dataclass(frozen=True)
class Encoding:
    """One encoding. `name` is part of the version of an entry, so a client finds only entries that it can read.

    `compressing` writes to its argument, from any one thread, a stream of exactly the bytes that are given.
    `decompressing` reads from its argument, and raises ArchiveError for damaged bytes. Both pass on what their argument
    raises. `with_window` returns the same encoding with another window, of 2^N bytes. That is what it takes to read a
    large archive. `against` returns the same encoding with the bytes of a file as a prefix, which a stream may repeat.
    Both sides must have the same file. An encoding may have no prefix.
    """

    name: str
    rewrites_zips: bool
    compressing: Callable[[Writable, int], AbstractContextManager[Writable]]
    decompressing: Callable[[Readable], AbstractContextManager[Readable]]
    with_window: Callable[[int], Encoding]
    against: Callable[[Path], Encoding] | None = None


def best_encoding(environ: Mapping[str, str]) -> Encoding:
    """Return the best encoding that is available. A zstd program is looked up in the PATH of `environ`."""
    module = _zstd_module()
    if module:
        return in_process(module)
    program = find_program("zstd", environ.get("PATH", os.defpath))
    return by_program(program, environment_of("zstd", environ)) if program else PLAIN


def in_process(module: Any, window_log: int = _WINDOW_LOG, prefix: Path | None = None) -> Encoding:
    """Use `module`: compression.zstd, or backports.zstd."""

    def prefixed() -> Any:
        return module.ZstdDict(prefix.read_bytes(), is_raw=True).as_prefix if prefix else None

    @contextmanager
    def compressing(out: Writable, _size: int) -> Iterator[Writable]:
        parameter = module.CompressionParameter
        options = {
            parameter.compression_level: _LEVEL,
            parameter.checksum_flag: 1,  # as the program does
            parameter.window_log: window_log,
            parameter.enable_long_distance_matching: 1,
            parameter.ldm_hash_rate_log: _LONG_HASH_RATE_LOG,
            parameter.ldm_hash_log: _LONG_HASH_LOG,
        }
        if workers := min(os.cpu_count() or 1, parameter.nb_workers.bounds()[1]):  # none in a build without threads
            options |= {parameter.nb_workers: workers, parameter.job_size: _JOB}
        with module.ZstdFile(out, "wb", options=options, zstd_dict=prefixed()) as stream:
            yield stream

    @contextmanager
    def decompressing(source: Readable) -> Iterator[Readable]:
        yield _Decompressed(module, source, prefixed())

    with_window, against = partial(in_process, module), partial(in_process, module, window_log)
    return Encoding("zstd-1", True, compressing, decompressing, with_window, against)  # noqa: FBT003 - a field


def by_program(
    program: str, environ: Mapping[str, str], window_log: int = _WINDOW_LOG, prefix: Path | None = None
) -> Encoding:
    """Use the zstd program at this path, or on the PATH of its environment. Those before 1.4.7 write no prefix."""
    prefixed = [f"--patch-from={prefix}"] if prefix else []

    @contextmanager
    def compressing(out: Writable, size: int) -> Iterator[Writable]:
        long = f"--zstd=ldmHashRateLog={_LONG_HASH_RATE_LOG},ldmHashLog={_LONG_HASH_LOG}"
        argv = [program, "-q", f"-{_LEVEL}", f"--long={window_log}", long, "-T0", f"-B{_JOB}", "-c"]
        argv += [*prefixed, f"--stream-size={size}"] if prefixed else []
        with _piped(argv, environ, stdout=subprocess.PIPE) as process:
            pipe = process.stdin
            assert pipe is not None  # noqa: S101 - for the type checker: it was asked for
            passed_on = run_in_background(lambda: _pass_on(process, out))
            try:
                yield pipe
                pipe.close()
            except BrokenPipeError:
                passed_on.result()  # may say why
                raise ArchiveError("zstd ended early") from None
            passed_on.result()
            if process.wait() != 0:
                raise ArchiveError(f"zstd ended with status {process.returncode}")

    @contextmanager
    def decompressing(source: Readable) -> Iterator[Readable]:
        argv = [program, "-q", "-d", f"--long={_WINDOW_LOG}", *prefixed, "-c"]
        with _piped(argv, environ, stdout=subprocess.PIPE) as process:
            yield _Fed(process, source)

    with_window, against = partial(by_program, program, environ), partial(by_program, program, environ, window_log)
    return Encoding("zstd-1", True, compressing, decompressing, with_window, against)  # noqa: FBT003


@contextmanager
def _as_it_is(stream: Any, _size: int = 0) -> Iterator[Any]:
    yield stream


PLAIN: Encoding = Encoding("plain-1", False, _as_it_is, _as_it_is, lambda _: PLAIN)  # noqa: FBT003


class _Decompressed:
    """Decompresses in this process, only as much at once as is requested."""

    def __init__(self, module: Any, source: Readable, prefix: Any) -> None:
        self._error = module.ZstdError
        options = {module.DecompressionParameter.window_log_max: _WINDOW_LOG}
        self._inflate = module.ZstdDecompressor(zstd_dict=prefix, options=options)
        self._source = source

    def read(self, size: int, /) -> bytes:
        """See Readable."""
        while not self._inflate.eof:
            taken = self._source.read(_PIECE) if self._inflate.needs_input else b""
            if self._inflate.needs_input and not taken:
                raise ArchiveError("the zstd stream is cut off")
            try:
                data: bytes = self._inflate.decompress(taken, size)
            except self._error as error:
                raise ArchiveError(f"not a zstd stream ({error})") from None
            if data:
                return data
        return b""


class _Fed:
    """Reads the output of a process for the input `source`, which another thread feeds to it."""

    def __init__(self, process: subprocess.Popen[bytes], source: Readable) -> None:
        self._process = process
        self._source = source
        self._failure: BaseException | None = None
        self._feeder = threading.Thread(target=self._feed, daemon=True)
        self._feeder.start()

    def read(self, size: int, /) -> bytes:
        """See Readable."""
        pipe = self._process.stdout
        data = pipe.read1(min(size, _PIECE)) if pipe else b""  # type: ignore[attr-defined]  # it is buffered
        if data:
            return bytes(data)
        if self._failure:
            raise self._failure
        if self._process.wait() != 0:
            raise ArchiveError("not a zstd stream, or cut off")
        return b""

    def _feed(self) -> None:
        pipe = self._process.stdin
        assert pipe is not None  # noqa: S101 - for the type checker
        try:
            while piece := self._source.read(_PIECE):
                pipe.write(piece)
        except OSError:
            pass  # zstd has ended, and its status says why
        except BaseException as error:  # noqa: BLE001 - passed to the reader
            self._failure = error
        with suppress(OSError):
            pipe.close()


def _pass_on(process: subprocess.Popen[bytes], out: Writable) -> None:
    """Write the output of a process to `out`. End the process if that fails."""
    pipe = process.stdout
    try:
        while pipe and (piece := pipe.read1(_PIECE)):  # type: ignore[attr-defined]  # it is buffered
            out.write(piece)
    except BaseException:
        process_group.kill(process)
        raise


@contextmanager
def _piped(argv: list[str], environ: Mapping[str, str], stdout: int) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process with a pipe into it. It ends with the block, or with this process."""
    started = process_group.started(
        argv, Path(), environ, stdin=subprocess.PIPE, stdout=stdout, stderr=subprocess.DEVNULL
    )
    with ExitStack() as ending:
        try:
            process = ending.enter_context(started)
        except OSError as error:
            raise ArchiveError(f"zstd did not start: {error.strerror}") from None
        try:
            for pipe in (process.stdin, process.stdout):
                _widen(pipe)
            yield process
        finally:
            process_group.kill(process)
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    with suppress(OSError):  # what it has not read is lost
                        pipe.close()


def _widen(pipe: Any) -> None:
    """Use a larger pipe, because hundreds of megabytes pass."""
    if sys.platform == "linux" and pipe is not None:
        import fcntl  # noqa: PLC0415 - not everywhere

        with suppress(OSError):  # more than this user may have
            fcntl.fcntl(pipe.fileno(), _F_SETPIPE_SZ, _PIECE)


def _zstd_module() -> Any:
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd  # noqa: PLC0415
        else:
            from backports import zstd  # noqa: PLC0415 - never installed by us: it stands in for Python 3.14 in tests
    except ImportError:
        return None
    return zstd
