# Copyright The Slipway Authors.
# SPDX-License-Identifier: Apache-2.0

"""An OpenAI-compatible server for trained weights, on the CPU, without further packages.

SLIPWAY_MODEL_PATH names the directory with `model.safetensors` and
`config.json`, SLIPWAY_MODEL_NAME the model to answer to.
"""

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path

import safetensors
import safetensors.torch
import torch

from tinylm.failure import Failure
from tinylm.generate import Generator
from tinylm.handler import Server, Service
from tinylm.model import Shape, TinyLM
from tinylm.output import CONFIG, WEIGHTS

DRAIN = 55.0  # seconds for running answers after SIGTERM; a Model's replica is killed after 60


def load(directory: Path | None, untrained: bool) -> TinyLM:
    """The network that a training run has left in a directory, or one of the same shape with random weights."""
    if directory is None and not untrained:
        raise Failure("SLIPWAY_MODEL_PATH is empty: name the directory of the weights, or serve --untrained")
    model = TinyLM(_shape(directory) if directory else Shape())
    if not untrained:
        model.load_state_dict(_weights(directory / WEIGHTS))
    return model.eval()


def _shape(directory: Path) -> Shape:
    try:
        config = json.loads((directory / CONFIG).read_text())
        return Shape(**{name: config[name] for name in Shape.__dataclass_fields__})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Failure(f"loading {directory / CONFIG}: {error!r}; has the training run finished?") from error


def _weights(path: Path) -> dict[str, torch.Tensor]:
    try:
        return safetensors.torch.load_file(path)
    except (OSError, safetensors.SafetensorError) as error:
        raise Failure(f"loading {path}: {error}; has the training run finished?") from error


def serve(service: Service, host: str, port: int) -> None:
    """Answer until SIGTERM or SIGINT, then let running answers finish."""
    ending = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ending)  # before threads exist, which inherit it
    with Server((host, port), service) as server:
        print(f"serving {service.name} on {host}:{server.server_port}", flush=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        signal.sigwait(ending)
        server.shutdown()
    service.drain(DRAIN)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(prog="python3 -m tinylm.serve", description=__doc__.partition("\n")[0])
    path = os.environ.get("SLIPWAY_MODEL_PATH")
    parser.add_argument("--model-path", type=Path, default=Path(path) if path else None)
    parser.add_argument("--model-name", default=os.environ.get("SLIPWAY_MODEL_NAME") or "tinylm")
    parser.add_argument("--host", default="0.0.0.0")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--untrained", action="store_true", help="random weights of the same shape, to compare with")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Load and serve; returns the exit code, after one line on why it is not 0."""
    options = parse(arguments)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    torch.manual_seed(0)  # so that an untrained model is the same one each time
    try:
        model = load(options.model_path, options.untrained)
        serve(Service(options.model_name, Generator(model)), options.host, options.port)
        return 0
    except Failure as failure:
        line = str(failure)
    except (OSError, OverflowError) as error:
        line = f"listening on {options.host}:{options.port}: {error}; choose another --host or --port"
    print(line, file=sys.stderr)
    return Failure.exit_code


if __name__ == "__main__":
    sys.exit(main())
