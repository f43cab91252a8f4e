# Copyright The Slipway Authors.
# SPDX-License-Identifier: Apache-2.0

"""How the workers of a run find each other, also after some were replaced.

Rank 0 keeps a small store at MASTER_ADDR:MASTER_PORT; the others connect to it,
and retry while its name does not resolve yet or nobody listens. Nobody starts
before all are seated. A store serves one formation of the group only: who finds
its own seat taken has been restarted faster than the master noticed, and waits
for the master's next store. Once formed, a lost peer breaks every collective
within `COLLECTIVE_TIMEOUT`, usually at once.
"""

import itertools
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist

from tinylm.failure import Failure, PeerLost
from tinylm.termination import Termination

T = TypeVar("T")

COLLECTIVE_TIMEOUT = timedelta(seconds=30)
_CONNECT_TIMEOUT = timedelta(seconds=10)
_BACKOFF_FIRST, _BACKOFF_LAST = 0.1, 5.0  # seconds


@dataclass(frozen=True)
class Place:
    """One process's place in the group, as PyTorchJob and torchrun announce it."""

    rank: int
    world: int
    host: str
    port: int
    keeps_store: bool  # under torchrun, its agent does
    attempt: int = 0  # counted by torchrun, whose store outlives its workers

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Place":
        """Read RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT; without them, a group of one."""
        rank = _number(environment, "RANK", 0)
        world = _number(environment, "WORLD_SIZE", 1)
        if not 0 <= rank < world:
            raise Failure(f"RANK={rank} and WORLD_SIZE={world}: the rank is from 0 to {world - 1}")
        if world > 1 and not environment.get("MASTER_ADDR"):
            raise Failure("MASTER_ADDR is not set: a group of several workers needs the address of rank 0")
        return cls(
            rank,
            world,
            environment.get("MASTER_ADDR", ""),
            _number(environment, "MASTER_PORT", 23456),
            keeps_store=rank == 0 and environment.get("TORCHELASTIC_USE_AGENT_STORE") != "True",
            attempt=_number(environment, "TORCHELASTIC_RESTART_COUNT", 0),
        )


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    value = environment.get(name, str(default))
    try:
        return int(value)
    except ValueError:
        raise Failure(f"{name}={value!r} is not a number; unset it to train alone") from None


@contextmanager
def watched() -> Iterator[None]:
    """Within, an error of torch becomes PeerLost: a collective that fails is its only one in a sound program."""
    try:
        yield
    except RuntimeError as error:
        raise PeerLost(f"lost a peer: {one_line(error)}") from error


def form(place: Place, termination: Termination, patience: timedelta) -> None:
    """Form the default process group over gloo; raises PeerLost when it cannot be done."""
    print(f"rank {place.rank}: joining a group of {place.world}", flush=True)
    store = _open_store(place, termination, patience)
    with watched():
        dist.init_process_group(
            "gloo", store=store, rank=place.rank, world_size=place.world, timeout=COLLECTIVE_TIMEOUT
        )
    print(f"rank {place.rank}: all {place.world} are here", flush=True)


def from_master(value: T | None) -> T:
    """The value that rank 0 passes, on every rank."""
    box = [value]
    dist.broadcast_object_list(box, src=0)
    return box[0]


def total(*values: float) -> list[float]:
    """Each value summed over the ranks."""
    box = torch.tensor(values, dtype=torch.float64)
    dist.all_reduce(box)
    return box.tolist()


def one_line(error: BaseException) -> str:
    """The first line of an error of torch, whose messages end in a C++ stack trace."""
    return str(error).partition("\n")[0].strip() or type(error).__name__


def _open_store(place: Place, termination: Termination, patience: timedelta) -> dist.Store:
    """A store at which all ranks of one formation are seated."""
    if place.world == 1:
        return dist.HashStore()
    deadline = time.monotonic() + patience.total_seconds()
    said = None
    for delay in _delays():
        reason = None
        try:
            return _seated(place, timedelta(seconds=max(1.0, deadline - time.monotonic())))
        except (OSError, RuntimeError) as error:
            reason = one_line(error)
        if time.monotonic() + delay > deadline:
            break
        if reason != said:
            print(f"rank {place.rank}: waiting for the group at {place.host}:{place.port}: {reason}", flush=True)
            said = reason
        termination.requested.wait(delay)
    raise PeerLost(f"no group at {place.host}:{place.port} within {patience.total_seconds():.0f} s: {reason}")


def _seated(place: Place, patience: timedelta) -> dist.Store:
    store = dist.PrefixStore(f"tinylm/{place.attempt}", _connect(place))
    if store.add(f"seat/{place.rank}", 1) != 1:
        raise OSError("the master still holds the group that lost this rank")
    store.wait([f"seat/{rank}" for rank in range(place.world)], patience)
    return store


def _connect(place: Place) -> dist.TCPStore:
    """Keep or reach the store. Rank 0 uses loopback: its own name may not resolve before it is ready."""
    host = "127.0.0.1" if place.keeps_store else place.host
    if not place.keeps_store:  # fails with a readable reason, which the store's own client does not
        socket.create_connection((host, place.port), _CONNECT_TIMEOUT.total_seconds()).close()
    return dist.TCPStore(
        host,
        place.port,
        is_master=place.keeps_store,
        timeout=_CONNECT_TIMEOUT,
        wait_for_workers=False,
        use_libuv=os.environ.get("USE_LIBUV", "0") == "1",
    )


def _delays() -> Iterator[float]:
    """Seconds between attempts: doubling, then constant."""
    for attempt in itertools.count():
        yield min(_BACKOFF_FIRST * 2**attempt, _BACKOFF_LAST)
