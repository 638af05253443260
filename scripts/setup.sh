#!/usr/bin/env bash
# Makes the virtual environment .venv with everything the project needs. Quick when nothing changed.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '+ %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
    fail "needs root for: $* (run as root, or install sudo)"; fi
}

apt_install() {
  command -v apt-get >/dev/null || fail "please install $*, then run this again (there is no apt-get here)"
  say "installing $* (apt)"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

find_python() {
  for name in python3 python3.13 python3.12 python3.11; do
    if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$name"; return
    fi
  done
}

python=$(find_python)
if [ -z "$python" ]; then
  apt_install python3 python3-venv
  python=$(find_python)
  [ -n "$python" ] || fail "needs Python 3.11 or newer; this system has $(python3 --version 2>&1)"
fi
"$python" -c 'import ensurepip' 2>/dev/null || apt_install python3-venv

stamp=.venv/installed
wanted=$(cat pyproject.toml constraints.txt scripts/setup.sh | sha256sum | cut -d' ' -f1)
if [ -x .venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
  exit 0
fi
started=$SECONDS
[ -x .venv/bin/python ] || { say "making the virtual environment .venv ($("$python" --version))"; "$python" -m venv .venv; }
say "installing Python packages into .venv (TensorFlow among them: some minutes the first time)"
.venv/bin/python -m pip install --disable-pip-version-check --constraint constraints.txt --editable '.[dev]' |
  awk '/^ *Downloading|^Installing collected/ { printf "  %s\n", substr($0, 1, 100); fflush() }'
echo "$wanted" >"$stamp"
say "Python packages are installed ($((SECONDS - started)) s)"
