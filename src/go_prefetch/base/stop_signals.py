"""The signals that ask a run to end."""

from __future__ import annotations

import signal

# Ctrl-C, termination, a closed terminal, and Ctrl-Break: those of them that this system has.
STOP_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]
