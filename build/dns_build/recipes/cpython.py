"""CPython: a static library, an interpreter for the build's own steps, and the standard library's sources."""

import os
import shutil
import subprocess
from pathlib import Path

from dns_build.progress import note
from dns_build.recipe import ROOT, Context

TRAINING = ROOT / "build" / "cpython" / "training.py"

# Of 100,000 instructions that making a class cost, 61,000 looked for special methods that no base has.
SLOTS = ROOT / "build" / "cpython" / "slots.patch"

FILES = (TRAINING, SLOTS)
NEEDS = ("musl", "zlib")

# Compiled modules that need libraries of the machine, or that are large and that nothing of ours reaches.
_LEFT_OUT = [
    "_bz2",
    "_codecs_cn",
    "_codecs_hk",
    "_codecs_iso2022",
    "_codecs_jp",
    "_codecs_kr",
    "_codecs_tw",
    "_ctypes",
    "_curses",
    "_curses_panel",
    "_dbm",
    "_decimal",
    "_elementtree",
    "_gdbm",
    "_hashlib",
    "_interpchannels",
    "_interpqueues",
    "_interpreters",
    "_lsprof",
    "_lzma",
    "_multibytecodec",
    "_sqlite3",
    "_ssl",
    "_tkinter",
    "_uuid",
    "_zoneinfo",
    "pyexpat",
    "readline",
    "syslog",
]

_OPTIONS = (
    "--prefix=/usr",
    "--disable-shared",
    "--disable-test-modules",
    "--without-doc-strings",
    "--without-ensurepip",
    "--without-readline",
)


def build(context: Context) -> None:
    """`lib/libpython3.13.a`, `include/`, `lib/python3.13/` (the standard library) and `bin/python` in the prefix."""
    source, prefix = context.source("cpython"), context.prefix
    zlib = context.need("zlib")
    environment = {
        "CC": context.compiler,
        "OPT": f"-DNDEBUG -fwrapv {' '.join(context.cflags)}",
        "LDFLAGS": "-static -no-pie",
        "LINKFORSHARED": " ",
        "MODULE_BUILDTYPE": "static",
        "PKG_CONFIG": "/bin/false",
        "ZLIB_CFLAGS": f"-I{zlib}/include",
        "ZLIB_LIBS": f"-L{zlib}/lib -lz",
        **{f"py_cv_module_{name}": "n/a" for name in _LEFT_OUT},
    }
    context.run(["patch", "-p1", "-i", str(SLOTS)], cwd=source)
    with context.step("configure"):
        context.run(["./configure", *_OPTIONS], cwd=source, environment=environment)
    _count(context, source)
    # What is never taken in training is compiled for size, which makes an image smaller, too.
    use = {"CFLAGS_NODIST": "-fprofile-use -fprofile-correction -Wno-missing-profile", "PYTHONHASHSEED": "0"}
    with context.step("make"):
        context.make("clean-retain-profile", cwd=source)
        context.make("all", cwd=source, environment=use)
    context.install(source / "libpython3.13.a", "lib")
    context.install(source / "Modules" / "_hacl" / "libHacl_Hash_SHA2.a", "lib")
    context.install(source / "python", "bin")
    shutil.copytree(source / "Include", prefix / "include")
    context.install(source / "pyconfig.h", "include")
    unwanted = shutil.ignore_patterns("__pycache__", "test", "idlelib", "tkinter", "turtledemo", "ensurepip", "*.exe")
    shutil.copytree(source / "Lib", prefix / "lib" / "python3.13", ignore=unwanted)
    for data in (source / "build").glob("lib.*/_sysconfigdata*.py"):
        context.install(data, "lib/python3.13")


def _count(context: Context, source: Path) -> None:
    """Leave beside each object file how often its branches are taken in training.

    The same bytes come of it each time, because addresses are the same, which objects are hashed by. So the paths that
    the interpreter keeps have one length (see `runtime.work_folder`), and those that it hashes don't name the folder.
    """
    count = {"CFLAGS_NODIST": "-fprofile-generate", "LDFLAGS_NODIST": "-fprofile-generate"}
    elsewhere = {"GCOV_PREFIX": str(context.work / "uncounted")}  # for runs that are no training
    with context.step("make what counts"):
        context.make("python", cwd=source, environment=count | elsewhere)
    # Who builds in the background ignores SIGINT, which `signal` looks at when it is made.
    fixed = ["env", "--default-signal"]
    if subprocess.run(["setarch", "-R", "true"], capture_output=True, check=False).returncode:
        note("addresses are random here (setarch -R is not permitted): another build has other bytes")
    else:
        fixed += ["setarch", "-R"]
    shutil.copy(TRAINING, source)
    # What is in the environment is counted, too: it is read at each start.
    environment = {"PATH": os.defpath, "PYTHONPATH": "/proc/self/cwd/Lib", "PYTHONHASHSEED": "0"}
    with context.step("training"):
        for verb, counts in (("prepare", elsewhere), ("train", {})):
            command = [*fixed, "./python", "-S", "-P", TRAINING.name, verb, "prepared"]
            context.run(command, cwd=source, environment=environment | counts)
    (source / "Python" / "fileutils.gcda").unlink()  # how many folders lead here
