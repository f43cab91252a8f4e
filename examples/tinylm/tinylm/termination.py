# Copyright The Slipway Authors.
# SPDX-License-Identifier: Apache-2.0

"""SIGTERM, as Kubernetes sends it before it kills a pod.

Python runs signal handlers between bytecodes of the main thread, which may sit
in a collective or wait minutes for its peers. So a thread of its own takes the
signal: outside of `deferred` it ends the process at once; inside, it leaves the
main thread `GRACE` seconds to notice `requested` and finish what it does.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tinylm.failure import Terminated

GRACE = 10.0  # seconds; below what pods get before they are killed


class Termination:
    """Create before anything that starts threads: they inherit the blocked signal."""

    def __init__(self) -> None:
        self.requested = threading.Event()
        self._interruptible = threading.Event()
        self._interruptible.set()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        threading.Thread(target=self._watch, name="termination", daemon=True).start()

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Within, SIGTERM only sets `requested`; an exception out of it is the process ending by itself."""
        self._interruptible.clear()
        yield
        self._interruptible.set()

    def _watch(self) -> None:
        signal.sigwait({signal.SIGTERM})
        self.requested.set()
        self._interruptible.wait(GRACE)
        os._exit(Terminated.exit_code)
