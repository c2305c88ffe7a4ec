"""Makefiles of Linux, read as lists: what is built in, what is a wanted module, what objects are put together from."""

from tests.bench_image.kbuild import compiled

MAKEFILES = {
    "Kbuild": "obj-y += kernel/ \\\n\tdrivers/  # the rest\nobj-y += arch/$(SRCARCH)/\n",
    "kernel/Makefile": "obj-y = fork.o missing.o\nobj-$(CONFIG_SMP) += smp.o\nobj-$(CONFIG_OFF) += off.o\n",
    "drivers/Makefile": "obj-$(CONFIG_NET) += net/\n",
    "drivers/net/Makefile": "obj-$(CONFIG_VNET) += v-net.o\nv-net-y := a.o\nv-net-$(CONFIG_SMP) += b.o\nobj-m += c.o\n",
    "arch/x86/Kbuild": "obj-y += entry_$(BITS).o\n",
}
FILES = {"kernel/fork.c", "kernel/smp.c", "kernel/off.c", "drivers/net/a.c", "drivers/net/b.c", "drivers/net/c.c"}
CONFIGURATION = "CONFIG_SMP=y\nCONFIG_NET=m\nCONFIG_VNET=m\n# CONFIG_OFF is not set\n"


def test_what_is_built_in_counts_and_of_modules_those_that_are_loaded() -> None:
    files = FILES | {"arch/x86/entry_64.S"}
    built_in = {"kernel/fork.c", "kernel/smp.c", "arch/x86/entry_64.S"}
    assert compiled(MAKEFILES, files, CONFIGURATION, set()) == built_in
    loaded = built_in | {"drivers/net/a.c", "drivers/net/b.c"}
    assert compiled(MAKEFILES, files, CONFIGURATION, {"v_net"}) == loaded
