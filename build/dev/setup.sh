#!/usr/bin/env bash
# Prepare a checkout on Debian 12: Debian packages that are missing, a virtual environment, the project in it.
# Usage: setup.sh VENV
set -euo pipefail
venv=${1:?usage: setup.sh VENV}

missing=()
need() { # need PACKAGE COMMAND...: PACKAGE is missing when COMMAND fails
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}
python=$(command -v python3 || echo /usr/bin/python3)
need python3-venv "$python" -c 'import ensurepip, venv'
need python3-dev "$python" -c 'import os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")'
need gcc cc --version
need libc6-dev test -e /usr/include/stdio.h
need git git --version
need iproute2 ip -V # tests of the network stack
need ca-certificates test -e /etc/ssl/certs/ca-certificates.crt

if [ ${#missing[@]} -gt 0 ]; then
    install="apt-get install --yes --no-install-recommends ${missing[*]}"
    if [ "$(id -u)" = 0 ]; then
        echo "setup: installing ${missing[*]}"
        { apt-get update && DEBIAN_FRONTEND=noninteractive $install; } >/dev/null
    elif sudo -n true 2>/dev/null; then
        echo "setup: installing ${missing[*]} with sudo"
        { sudo -n apt-get update && sudo -n DEBIAN_FRONTEND=noninteractive $install; } >/dev/null
    else
        printf 'setup: these Debian packages are missing: %s\nType this, then repeat your command:\n    sudo %s\n' \
            "${missing[*]}" "$install" >&2
        exit 1
    fi
    python=$(command -v python3)
fi

"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || {
    echo "setup: $("$python" --version) is not supported; Python 3.11 to 3.13 is needed as python3" >&2
    exit 1
}
echo "setup: virtual environment in $venv with $("$python" --version)"
"$python" -m venv --clear "$venv"
# Compiling is the next step of `make setup`, which also sees when a source has changed.
UNIZONE_COMPILE=0 "$venv/bin/python" -m pip --disable-pip-version-check install --quiet --quiet --editable '.[test,lint,build]'
touch "$venv/.ready"
