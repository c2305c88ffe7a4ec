"""A real browser without a screen: Chromium from Debian's package."""

import os
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.support.debian import Tree, Unavailable, programs

_PACKAGES: Final = ("chromium-headless-shell", "fonts-dejavu-core")
_FONTS: Final = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{fonts}</dir><cachedir>{cache}</cachedir></fontconfig>
"""


class Browser:
    """Loads pages; each call is a browser of its own. The test is skipped where there is none."""

    def __init__(self, folder: Path) -> None:
        """`folder` is for its profile and fonts."""
        try:
            self._tree: Tree = programs(*_PACKAGES)
        except Unavailable as error:
            pytest.skip(f"no Chromium: {error}")
        self._folder = folder
        (folder / "fonts.conf").write_text(
            _FONTS.format(fonts=self._tree.root / "usr/share/fonts", cache=folder / "fonts")
        )

    def picture(self, url: str, file: Path, *, dark: bool, width: int, height: int) -> None:
        """Write a PNG of the page to `file`."""
        scheme = 0 if dark else 1  # of Blink's PreferredColorScheme
        options = [f"--screenshot={file}", f"--window-size={width},{height}", "--hide-scrollbars"]
        self._run(*options, f"--blink-settings=preferredColorScheme={scheme}", url)

    def document(self, url: str) -> str:
        """The page as the browser understood it."""
        return self._run("--dump-dom", url)

    def _run(self, *arguments: str) -> str:
        program = self._tree.root / "usr/lib/chromium/chromium-headless-shell"
        options = [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            f"--user-data-dir={self._folder}/profile",
        ]
        libraries = self._tree.environment["LD_LIBRARY_PATH"]
        sound = self._tree.root / "usr/lib/x86_64-linux-gnu/pulseaudio"  # its own folder of libraries
        environment = {
            **self._tree.environment,
            "LD_LIBRARY_PATH": f"{libraries}:{sound}",
            "HOME": str(self._folder),
            "FONTCONFIG_FILE": str(self._folder / "fonts.conf"),
            "PATH": os.environ["PATH"],
        }
        result = subprocess.run(
            [str(program), *options, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        if result.returncode:
            pytest.skip(f"Chromium does not run here: {result.stderr[-500:]}")
        return result.stdout
