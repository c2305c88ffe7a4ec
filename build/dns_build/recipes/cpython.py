"""CPython: a static library, an interpreter for the build's own steps, and the standard library's sources."""

import shutil

from dns_build.recipe import Context

FILES = ()
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
    # The unpacked folder's name would show in __FILE__ and in sysconfig.
    flags = " ".join((*context.cflags, f"-ffile-prefix-map={source}=."))
    environment = {
        "CC": context.compiler,
        "OPT": f"-DNDEBUG -fwrapv {flags}",
        "LDFLAGS": "-static -no-pie",
        "LINKFORSHARED": " ",
        "MODULE_BUILDTYPE": "static",
        "PKG_CONFIG": "/bin/false",
        "ZLIB_CFLAGS": f"-I{zlib}/include",
        "ZLIB_LIBS": f"-L{zlib}/lib -lz",
        **{f"py_cv_module_{name}": "n/a" for name in _LEFT_OUT},
    }
    options = [*_OPTIONS, "--enable-optimizations"] if context.profile else list(_OPTIONS)
    with context.step("configure"):
        context.run(["./configure", *options], cwd=source, environment=environment)
    with context.step("make with a profiling run" if context.profile else "make"):
        context.make("all", cwd=source, environment={"PYTHONHASHSEED": "0"})
    context.install(source / "libpython3.13.a", "lib")
    context.install(source / "Modules" / "_hacl" / "libHacl_Hash_SHA2.a", "lib")
    context.install(source / "python", "bin")
    shutil.copytree(source / "Include", prefix / "include")
    context.install(source / "pyconfig.h", "include")
    unwanted = shutil.ignore_patterns("__pycache__", "test", "idlelib", "tkinter", "turtledemo", "ensurepip", "*.exe")
    shutil.copytree(source / "Lib", prefix / "lib" / "python3.13", ignore=unwanted)
    for data in (source / "build").glob("lib.*/_sysconfigdata*.py"):
        context.install(data, "lib/python3.13")
