"""LZ4: what the code of frozen modules is packed with, and a program that packs it."""

from dns_build.recipe import ROOT, Context

PACKER = ROOT / "build" / "lz4" / "pack.c"

FILES = (PACKER,)
NEEDS = ("musl",)


def build(context: Context) -> None:
    """`include/lz4.h`, `lib/liblz4.a` (unpacking alone) and `bin/lz4-pack` in the prefix."""
    source = context.source("lz4") / "lib"
    flags = [context.compiler, *context.cflags, "-O3"]  # as its own makefile has it
    context.run([*flags, "-c", "lz4.c", "-o", "lz4.o"], cwd=source)
    context.run(["ar", "rcsD", "liblz4.a", "lz4.o"], cwd=source)
    context.install(source / "liblz4.a", "lib")
    context.install(source / "lz4.h", "include")
    packer = [*flags, "-static", "-no-pie", "-I.", str(PACKER), "lz4.c", "lz4hc.c", "-o", "lz4-pack"]
    context.run(packer, cwd=source)
    context.install(source / "lz4-pack", "bin")
