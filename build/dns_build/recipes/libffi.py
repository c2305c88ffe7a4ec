"""libffi: what the run time of cffi is linked with. Images call C through generated code and never through it."""

from dns_build.recipe import Context

FILES = ()
NEEDS = ("musl",)


def build(context: Context) -> None:
    """`include/ffi.h`, `include/ffitarget.h` and `lib/libffi.a` in the prefix."""
    source = context.source("libffi")
    context.run(
        [
            "./configure",
            f"--prefix={context.prefix}",
            "--disable-shared",
            "--disable-docs",
            "--disable-multi-os-directory",
            "--disable-builddir",
            "--disable-exec-static-tramp",
        ],
        cwd=source,
        environment={"CC": context.compiler, "CFLAGS": " ".join(context.cflags), "LDFLAGS": "-static -no-pie"},
    )
    context.make("install", cwd=source)
