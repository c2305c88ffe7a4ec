"""zlib: what git's packs are deflated with."""

from dns_build.recipe import Context

FILES = ()
NEEDS = ("musl",)


def build(context: Context) -> None:
    """`include/zlib.h` and `lib/libz.a` in the prefix."""
    source = context.source("zlib")
    context.run(
        ["./configure", f"--prefix={context.prefix}", "--static"],
        cwd=source,
        environment={"CC": context.compiler, "CFLAGS": " ".join(context.cflags)},
    )
    context.make("libz.a", cwd=source)
    context.install(source / "libz.a", "lib")
    for header in ("zlib.h", "zconf.h"):
        context.install(source / header, "include")
