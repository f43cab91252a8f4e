# Copyright The Slipway Authors.
# SPDX-License-Identifier: Apache-2.0

"""A checkpoint is there whole or not at all."""

import contextlib
import errno
import io
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from tinylm.checkpoint import Checkpoints, write_atomically


class CheckpointsTest(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name) / "checkpoints"
        self.checkpoints = Checkpoints(self.directory)

    def newest(self) -> tuple[bytes | None, str]:
        """Content of the newest intact checkpoint, and what was said."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            found = self.checkpoints.newest()
        return (found[1] if found else None), said.getvalue()

    def test_returns_the_newest(self) -> None:
        self.assertEqual(self.newest(), (None, ""))
        for step in (5, 100, 20):
            self.checkpoints.save(step, b"step %d" % step)
        self.assertEqual(self.newest(), (b"step 100", ""))

    def test_keeps_two(self) -> None:
        for step in (10, 20, 30):
            self.checkpoints.save(step, b"x")
        names = sorted(path.name for path in self.directory.iterdir())
        self.assertEqual(names, ["step-00000020.ckpt", "step-00000030.ckpt"])

    def test_skips_damaged_ones_with_a_line(self) -> None:
        damages = {
            "truncated": lambda whole: whole[:-3],
            "one bit": lambda whole: whole[:-1] + bytes([whole[-1] ^ 1]),
            "empty": lambda whole: b"",
            "only a digest": lambda whole: whole[:32],
            "zeros after a power cut": lambda whole: bytes(len(whole)),
        }
        for name, damage in damages.items():
            with self.subTest(name):
                self.checkpoints.save(1, b"good")
                path = self.checkpoints.save(2, b"bad")
                path.write_bytes(damage(path.read_bytes()))
                content, said = self.newest()
                self.assertEqual(content, b"good")
                self.assertRegex(said, r"^skipping damaged checkpoint .*step-00000002.ckpt: .*\n$")

    def test_nothing_intact_is_nothing(self) -> None:
        self.checkpoints.save(1, b"x").write_bytes(b"junk")
        self.assertIsNone(self.newest()[0])

    def test_drops_drafts_of_a_killed_writer(self) -> None:
        (self.directory / "step-00000009.ckpt.tmp").write_bytes(b"half")
        self.assertIsNone(Checkpoints(self.directory).newest())
        self.assertEqual(list(self.directory.iterdir()), [])

    def test_full_disk_leaves_what_was_there(self) -> None:
        self.checkpoints.save(1, b"good")
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        with mock.patch("os.fsync", side_effect=full), self.assertRaises(OSError):
            self.checkpoints.save(2, b"more")
        self.assertEqual([path.name for path in self.directory.iterdir()], ["step-00000001.ckpt"])
        self.assertEqual(self.newest()[0], b"good")

    def test_content_is_on_disk_before_it_has_its_name(self) -> None:
        path = self.directory / "file"
        path.write_bytes(b"old")
        seen = []
        with mock.patch("os.fsync", side_effect=lambda _: seen.append(path.read_bytes())):
            write_atomically(path, b"new")
        self.assertEqual(seen, [b"old", b"new"])  # the file, then its directory


if __name__ == "__main__":
    unittest.main()
