"""cffi: the compiled module `_cffi_backend` that generated modules are linked with."""

from dns_build.recipe import Context

FILES = ()
NEEDS = ("musl", "libffi", "cpython")


def build(context: Context) -> None:
    """`lib/_cffi_backend.o` in the prefix."""
    source = context.source("cffi") / "src" / "c"
    includes = [f"-I{context.need('libffi')}/include", f"-I{context.need('cpython')}/include"]
    flags = [*context.cflags, *includes, "-DUSE__THREAD", "-DFFI_BUILDING=1"]
    context.run([context.compiler, *flags, "-c", "_cffi_backend.c", "-o", "_cffi_backend.o"], cwd=source)
    context.install(source / "_cffi_backend.o", "lib")
