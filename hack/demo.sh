#!/usr/bin/env bash
# Copyright The Slipway Authors.
# SPDX-License-Identifier: Apache-2.0
#
# The whole life of a small language model on this machine: a cluster, an image,
# training on two workers, an endpoint, a question. "make demo" runs it. Run it
# again and it goes on from what is there; RETRAIN=1 trains anew.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly NAME=tinylm
readonly EXAMPLE=examples/tinylm
readonly PROMPT=${PROMPT:-"And God said unto "}
export PATH="$PWD/build/bin:$PATH"
unset KUBECONFIG # what it names is another cluster
began=$SECONDS

phase() { printf '\n\033[1m── %s\033[0m (%d s)\n' "$*" "$((SECONDS - began))"; }
die() {
	echo "demo: $*" >&2
	exit 1
}
kubectl() { slipway kubectl "$@"; }

[ "$(id -u)" -eq 0 ] || die "a cluster on this machine needs root; run: sudo make demo"

phase "1/5 image: Python, PyTorch and a text, from Debian's packages"
"$EXAMPLE/build-image.sh"

phase "2/5 cluster: a Kubernetes on this machine"
if slipway status >/dev/null 2>&1; then
	echo "already running; see: slipway status"
else
	slipway up --detach
fi

phase "3/5 train: two workers, data-parallel"
slipway image import "build/images/$NAME.tar"
if [ -n "${RETRAIN:-}" ]; then
	slipway delete "model/$NAME" "pytorchjob/$NAME" --wait 2>/dev/null || true
	kubectl delete claim "$NAME" pvc "$NAME" --ignore-not-found >/dev/null 2>&1 || true
fi
slipway train -F "$EXAMPLE/train.yaml" --follow
losses=$(slipway logs "pytorchjob/$NAME" --tail 20 | grep -o 'val [0-9.]*, before training [0-9.]*' | tail -n 1)
echo "held-out text: $losses"

phase "4/5 deploy: one endpoint for the model"
slipway deploy -F "$EXAMPLE/model.yaml" --wait >/dev/null 2> >(grep -v "ask it\|make a key\|with curl" | uniq >&2)
URL=$(kubectl get model "$NAME" -o 'jsonpath={.status.url}')
KEY=$(slipway key 2>/dev/null)
echo "ready at $URL"

phase "5/5 ask"
# The same request to the trained model and to one with random weights.
ask() {
	slipway chat "$1" "$PROMPT" --completion --max-tokens 120 --temperature 0.5
}
answer=$(ask "$NAME")
[ -n "$answer" ] || die "the model answered nothing; look at: slipway logs model/$NAME"
slipway deploy -F "$EXAMPLE/untrained.yaml" --wait >/dev/null 2>&1
untrained=$(ask "$NAME-untrained" | tr -cd '[:print:]')
slipway delete "model/$NAME-untrained" >/dev/null
[ "$answer" != "$untrained" ] || die "the trained model answers as an untrained one does; look at: slipway logs pytorchjob/$NAME"
printf 'untrained: %s%s\n' "$PROMPT" "${untrained:0:100}"
printf '\033[1mtrained:   %s%s\033[0m\n' "$PROMPT" "$answer"

phase "done"
cat <<EOF
endpoint  $URL
key       $KEY

curl $URL/completions -H "Authorization: Bearer \$(slipway key)" \\
  -H 'Content-Type: application/json' -d '{"model": "$NAME", "prompt": "$PROMPT", "max_tokens": 80}'

try next  export PATH=$PWD/build/bin:\$PATH
          slipway chat $NAME "The LORD is" --completion     ask something else
          slipway ps                                        what runs
          slipway logs pytorchjob/$NAME                     how it was trained
          slipway node add node-1                           another node on this machine
          RETRAIN=1 make demo                               train anew
stop      slipway down        keeps the data
          slipway reset --yes removes everything
EOF
