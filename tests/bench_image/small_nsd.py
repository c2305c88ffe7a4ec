"""NSD as small as it gets: static, without TLS, and an `init` that does nothing but start it.

Both are built once, outside the tree, from Debian's source package and with the machine's compiler.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.bench_image import built
from tests.support import debian

_CONFIGURE: Final = ("--without-ssl", "--with-libevent=no", "--disable-recvmmsg")
_FLAGS: Final = ("CFLAGS=-O2", "LDFLAGS=-static")
# Files of an archive are of 1970, and NSD does not load a zone file that is no newer than that.
_INIT: Final = r"""
#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static void address(int any, unsigned long request, const char *text)
{
	struct ifreq wish = {0};
	struct sockaddr_in *value = (void *)&wish.ifr_addr;
	strcpy(wish.ifr_name, "eth0");
	value->sin_family = AF_INET;
	inet_pton(AF_INET, text, &value->sin_addr);
	ioctl(any, request, &wish);
}

int main(int argc, char **argv)
{
	int any = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq up = {.ifr_name = "eth0", .ifr_flags = IFF_UP};
	mkdir("/dev", 0755);
	mount("dev", "/dev", "devtmpfs", 0, 0);
	address(any, SIOCSIFADDR, "@ADDRESS@");
	address(any, SIOCSIFNETMASK, "255.255.255.0");
	ioctl(any, SIOCSIFFLAGS, &up);
	close(any);
	for (char **zone = (char *[]){@ZONES@, 0}; *zone; zone++)
		utimes(*zone, 0);
	if (!fork()) {
		execl("/bin/nsd", "nsd", "-d", "-c", "/nsd.conf", (char *)0);
		_exit(1);
	}
	while (wait(0) >= 0)
		;
	reboot(RB_POWER_OFF);
}
"""


def init(address: str, zones: list[str]) -> bytes:
    """What starts NSD at that address; `zones` are paths of its zone files. debian.Unavailable."""
    source = _INIT.replace("@ADDRESS@", address).replace("@ZONES@", ", ".join(f'"{path}"' for path in zones))

    def build(folder: Path) -> Path:
        (folder / "init.c").write_text(source)
        built.run(folder, "gcc", "-O2", "-static", "-s", "-o", "init", "init.c")
        return folder / "init"

    return _kept("init", source, build).read_bytes()


def nsd() -> bytes:
    """The server. debian.Unavailable."""
    tarball = debian.source("nsd")

    def build(folder: Path) -> Path:
        (folder / "tree").mkdir()
        built.run(folder, "tar", "-xf", str(tarball), "-C", "tree", "--strip-components=1")
        built.run(folder / "tree", "./configure", *_CONFIGURE, *_FLAGS)
        built.run(folder / "tree", "make", "nsd")
        built.run(folder / "tree", "strip", "nsd")
        return folder / "tree" / "nsd"

    return _kept("nsd", " ".join((tarball.name, *_CONFIGURE, *_FLAGS)), build).read_bytes()


def _kept(name: str, recipe: str, build: Callable[[Path], Path]) -> Path:
    return built.once(f"small-{name}-{built.key(recipe, built.compiler(name))}", build)
