"""OpenSSL and CPython's module over it, for images that ask for TLS."""

import shutil
import subprocess

from dns_build.progress import BuildError
from dns_build.recipe import ROOT, Context

HEADER = ROOT / "build" / "cpython" / "socketmodule.h"

FILES = (HEADER,)
NEEDS = ("musl", "cpython")

# TLS 1.2 and 1.3 over streams, with what certificates of the public authorities are signed with. The rest is left out:
# nothing calls it, and what is not there can't be attacked.
_LEFT_OUT = (
    *("shared", "dso", "module", "engine", "legacy", "apps", "docs", "tests", "autoload-config", "ui-console"),
    *("ssl3", "tls1", "tls1_1", "dtls", "quic", "srp", "psk", "srtp", "nextprotoneg", "comp", "ktls", "async", "http"),
    *("cms", "ct", "ocsp", "ts", "cmp", "rfc3779", "secure-memory", "scrypt", "argon2", "blake2", "ec2m", "dsa"),
    *("gost", "sm2", "sm3", "sm4", "camellia", "aria", "seed", "bf", "cast", "idea", "rc2", "rc4", "des", "siv", "ocb"),
    *("md4", "mdc2", "rmd160", "whirlpool", "slh-dsa", "ml-dsa"),
)
_TOLD = '"compiler: $cflags"'
# What Modules/_ssl.c includes.
_MODULE = ("_ssl.c", "_ssl.h", "_ssl_data_300.h", "_ssl_data_31.h", "_ssl", "clinic")


def build(context: Context) -> None:
    """`include/`, `lib/libssl.a`, `lib/libcrypto.a` and `lib/_ssl.o` in the prefix. BuildError without perl."""
    # Its configure is a Perl program that uses modules beyond those of perl-base.
    if subprocess.run(["perl", "-MIPC::Cmd", "-MFindBin", "-e1"], capture_output=True, check=False).returncode:
        raise BuildError("missing programs of perl", hint="apt-get install perl")
    source = context.source("openssl")
    options = [*(f"no-{name}" for name in _LEFT_OUT), "--with-rand-seed=getrandom", "--openssldir=/etc/ssl"]
    with context.step("configure"):
        context.run(
            ["perl", "Configure", "linux-x86_64", *options, *context.cflags],
            cwd=source,
            environment={"CC": context.compiler, "AR": "ar", "RANLIB": "ranlib"},
        )
    # What tells of the build names the compiler's path and those that flags hide.
    told = source / "util" / "mkbuildinf.pl"
    text = told.read_text()
    assert text.count(_TOLD) == 1
    told.write_text(text.replace(_TOLD, '"compiler: gcc"'))
    with context.step("make"):
        context.make("build_libs", cwd=source)
    for library in ("libssl.a", "libcrypto.a"):
        context.install(source / library, "lib")
    shutil.copytree(source / "include" / "openssl", context.prefix / "include" / "openssl")
    _build_module(context)


def _build_module(context: Context) -> None:
    """Compile `_ssl` with our header beside it, which is found before CPython's."""
    modules, work = context.source("cpython") / "Modules", context.work / "module"
    work.mkdir()
    for name in _MODULE:
        path = modules / name
        if path.is_dir():
            shutil.copytree(path, work / name)
        else:
            shutil.copy(path, work)
    shutil.copy(HEADER, work)
    python = context.need("cpython") / "include"
    includes = [f"-I{python}", f"-I{python}/internal", f"-I{context.prefix}/include"]
    context.run(
        [
            *(context.compiler, *context.cflags, *includes, "-DPy_BUILD_CORE_BUILTIN"),
            *("-c", "_ssl.c", "-o", "_ssl.o"),
        ],
        cwd=work,
    )
    context.install(work / "_ssl.o", "lib")
