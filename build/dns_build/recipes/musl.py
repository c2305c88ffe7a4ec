"""musl: the C library, its system calls turned into calls of the platform, and a compiler command that uses it."""

import shutil
from pathlib import Path

from dns_build.recipe import ROOT, Context

PATCH = ROOT / "build" / "musl"
DEFAULT_SYSCALLS = ROOT / "platform" / "unix" / "syscall.S"

FILES = (PATCH, DEFAULT_SYSCALLS)
NEEDS: tuple[str, ...] = ()

# Files whose `syscall` instructions are now in the platform's hands.
_REPLACED = (
    "src/thread/x86_64/__set_thread_area.s",
    "src/thread/x86_64/syscall_cp.s",
    "src/thread/x86_64/clone.s",
    "src/thread/x86_64/__unmapself.s",
    "src/process/x86_64/vfork.s",
    "src/signal/x86_64/restore.s",
)
# Portable versions of what the platform defines: they would be second definitions.
_DROPPED = ("src/thread/clone.c", "src/thread/__unmapself.c", "src/signal/restore.c")

# How musl ends a program whose stack or heap is damaged. Without a kernel `hlt` is no fault but a wait, for ever here.
_CRASH = ('"hlt"', '"ud2"')

_WRAPPER = """#!/bin/sh
# gcc with musl's headers and libraries in place of the machine's own.
[ "$*" = --print-multiarch ] && {{ echo; exit; }}
exec gcc -specs {prefix}/lib/musl-gcc.specs "$@"
"""


def build(context: Context) -> None:
    """`include/`, `lib/libc.a`, start files, and `bin/musl-gcc` in the prefix."""
    source, prefix = context.source("musl"), context.prefix
    for name in (*_REPLACED, *_DROPPED):
        (source / name).unlink()
    shutil.copytree(PATCH, source, dirs_exist_ok=True)
    shutil.copy(DEFAULT_SYSCALLS, source / "src" / "thread" / "x86_64" / "platform.S")
    atomics = source / "arch" / "x86_64" / "atomic_arch.h"
    text = atomics.read_text()
    assert text.count(_CRASH[0]) == 1
    atomics.write_text(text.replace(*_CRASH))
    flags = " ".join((*context.cflags, "-fno-stack-protector"))  # it would run before its canary is set
    context.run(
        ["./configure", f"--prefix={prefix}", "--disable-shared", "--enable-wrapper=gcc"],
        cwd=source,
        environment={"CFLAGS": flags},
    )
    context.make("install", cwd=source)
    wrapper = prefix / "bin" / "musl-gcc"
    wrapper.write_text(_WRAPPER.format(prefix=prefix))
    wrapper.chmod(0o755)


def compiler(prefix: Path) -> Path:
    """The compiler command of a built musl."""
    return prefix / "bin" / "musl-gcc"
