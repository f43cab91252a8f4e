# Copyright The Slipway Authors.
# SPDX-License-Identifier: Apache-2.0

"""What a person has to know: each failure is one line and an exit code."""

import signal


class Failure(Exception):
    """No restart cures it. The message names the cause and what to change."""

    exit_code = 1


class PeerLost(Failure):
    """The group could not be formed or has lost a member; a restart cures it.

    Kubeflow's restart policies take this exit code as retryable.
    """

    exit_code = 138

    def __str__(self) -> str:
        return f"{super().__str__()}; a restart continues from the last checkpoint"


class Terminated(Failure):
    """SIGTERM arrived."""

    exit_code = 128 + signal.SIGTERM
