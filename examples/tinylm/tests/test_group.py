# Copyright The Slipway Authors.
# SPDX-License-Identifier: Apache-2.0

"""Two workers as processes, killed and started again as a kubelet would."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
from collections.abc import Sequence
from pathlib import Path

from tinylm.failure import PeerLost, Terminated
from tinylm.output import WEIGHTS

STEPS = 400
OPTIONS = f"--steps {STEPS} --layers 1 --dim 32 --heads 2 --context 64 --batch 4 --log-every 10 --checkpoint-every 25"
PATIENCE = 60.0  # seconds until a test gives up


class Pod:
    """One rank, restarted until it succeeds (restart policy OnFailure)."""

    def __init__(self, rank: int, world: int, port: int, *options: str, restart: bool = True) -> None:
        self.exit_codes: list[int] = []
        self.lines: list[str] = []
        self._command = [sys.executable, "-m", "tinylm.train", *options]
        self._environment = {
            **os.environ,
            "PYTHONUNBUFFERED": "1",
            "RANK": str(rank),
            "WORLD_SIZE": str(world),
            "MASTER_ADDR": "localhost",
            "MASTER_PORT": str(port),
        }
        self._restart = restart
        self._changed = threading.Condition()
        self._process: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while len(self.exit_codes) < 5 and (not self.exit_codes or (self._restart and self.exit_codes[-1] != 0)):
            with subprocess.Popen(
                self._command, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            ) as self._process:
                for line in self._process.stdout:
                    self._note(line.rstrip())
            self.exit_codes.append(self._process.returncode)

    def _note(self, line: str) -> None:
        with self._changed:
            self.lines.append(line)
            self._changed.notify_all()

    def wait_for(self, pattern: str) -> str:
        """The first line that matches; fails when none comes."""
        with self._changed:
            found = self._changed.wait_for(lambda: next(filter(re.compile(pattern).search, self.lines), ""), PATIENCE)
        if not found:
            raise AssertionError(f"no line with {pattern!r} in:\n" + "\n".join(self.lines))
        return found

    def kill(self, number: int) -> None:
        """Send a signal to the process that runs now."""
        self._process.send_signal(number)

    def wait(self) -> list[int]:
        """All exit codes, the last of which is of a success or of giving up."""
        self._thread.join(PATIENCE)
        if self._thread.is_alive():
            self._process.kill()
            raise AssertionError("still running after:\n" + "\n".join(self.lines))
        return self.exit_codes


class GroupTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.directory = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.text = cls.directory / "text"
        cls.text.write_bytes(b"In the beginning God created the heaven and the earth.\n" * 500)
        pods = cls.start(cls.directory / "uninterrupted")
        cls.exit_codes = [pod.wait() for pod in pods]
        cls.uninterrupted = pods

    @classmethod
    def start(cls, out: Path, world: int = 2, ranks: Sequence[int] = (0, 1)) -> list[Pod]:
        with socket.create_server(("localhost", 0)) as server:
            port = server.getsockname()[1]
        options = [*OPTIONS.split(), "--data", str(cls.text), "--out"]
        return [Pod(rank, world, port, *options, str(out) if rank == 0 else "/nonexistent") for rank in ranks]

    def check_same_as_uninterrupted(self, out: Path) -> None:
        expected = (self.directory / "uninterrupted" / WEIGHTS).read_bytes()
        self.assertEqual((out / WEIGHTS).read_bytes(), expected)

    def resumed_at(self, pod: Pod) -> int:
        return int(re.search(r"resuming at step (\d+)/", pod.wait_for("resuming"))[1])

    def test_uninterrupted(self) -> None:
        self.assertEqual(self.exit_codes, [[0], [0]])
        self.uninterrupted[0].wait_for(rf"^step {STEPS}/{STEPS} val [\d.]+, before training [\d.]+$")
        self.assertEqual([line for line in self.uninterrupted[1].lines if line.startswith("step")], [])

    def test_killed_worker(self) -> None:
        out = self.directory / "killed-worker"
        master, worker = self.start(out)
        master.wait_for(r"^step 100/")
        worker.kill(signal.SIGKILL)
        self.assertEqual((master.wait(), worker.wait()), ([PeerLost.exit_code, 0], [-signal.SIGKILL, 0]))
        # The master saves its last whole step when it finds its peer gone.
        self.assertGreaterEqual(self.resumed_at(master), 100)
        self.check_same_as_uninterrupted(out)

    def test_killed_master(self) -> None:
        out = self.directory / "killed-master"
        master, worker = self.start(out)
        master.wait_for(r"^step 110/")
        master.kill(signal.SIGKILL)
        self.assertEqual(master.wait(), [-signal.SIGKILL, 0])
        codes = worker.wait()
        self.assertEqual((set(codes[:-1]), codes[-1]), ({PeerLost.exit_code}, 0))
        self.assertEqual(self.resumed_at(master) % 25, 0)
        self.check_same_as_uninterrupted(out)

    def test_terminated_master(self) -> None:
        out = self.directory / "terminated-master"
        master, worker = self.start(out)
        master.wait_for(r"^step 60/")
        master.kill(signal.SIGTERM)
        self.assertEqual(master.wait(), [Terminated.exit_code, 0])
        self.assertEqual(worker.wait()[-1], 0)
        step = int(re.search(r"(\d+)$", master.wait_for("^rank 0: terminated after step"))[1])
        self.assertEqual(self.resumed_at(master), step)
        self.check_same_as_uninterrupted(out)

    def test_terminated_while_waiting(self) -> None:
        options = [*OPTIONS.split(), "--data", str(self.text), "--out", str(self.directory / "waiting")]
        master, worker = (Pod(rank, 2, rank, *options, restart=False) for rank in (0, 1))
        master.wait_for("rank 0: joining a group of 2")
        worker.wait_for("rank 1: waiting for the group at localhost:1: .*Connection refused")
        for pod in (master, worker):
            pod.kill(signal.SIGTERM)
            self.assertEqual(pod.wait(), [Terminated.exit_code])

    def test_one_worker_does_the_same_steps(self) -> None:
        out = self.directory / "alone"
        (alone,) = self.start(out, world=1, ranks=[0])
        self.assertEqual(alone.wait(), [0])
        end = f"^step {STEPS}/{STEPS} val "
        losses = [float(pod.wait_for(end).split()[3].rstrip(",")) for pod in (alone, self.uninterrupted[0])]
        self.assertAlmostEqual(*losses, delta=0.01)

    def test_finished_run_is_not_repeated(self) -> None:
        (master,) = self.start(self.directory / "uninterrupted", ranks=[0])
        self.assertEqual(master.wait(), [0])
        self.assertIn("already holds the result", master.lines[-1])

    def test_nobody_to_join(self) -> None:
        options = ["--data", str(self.text), "--patience", "0.5"]
        worker = Pod(1, 2, 1, *OPTIONS.split(), *options, restart=False)
        self.assertEqual(worker.wait(), [PeerLost.exit_code])
        self.assertRegex(worker.lines[-1], "^rank 1: no group at localhost:1 within 0 s: .*refused; a restart")


if __name__ == "__main__":
    unittest.main()
