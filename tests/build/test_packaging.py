"""What is published installs and runs: the sdist, the wheel built from it, and an editable install of it.

Nothing is fetched: build backend and dependencies are those of the environment that runs the tests.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PATIENCE_S = 1500
"""For one command on a machine with much else to do: each compiles everything, in about twenty seconds when alone."""

pytestmark = pytest.mark.timeout(2 * PATIENCE_S)


@dataclass(frozen=True)
class Published:
    """What `python -m build` makes."""

    sdist: Path
    wheel: Path


def run(*command: str | Path, cwd: Path, environment: dict[str, str] | None = None) -> str:
    result = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, timeout=PATIENCE_S, env=environment
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """The sdist of this checkout, and the wheel that is built from the sdist alone."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT, cwd=out)
    (sdist,) = out.glob("*.tar.gz")
    (wheel,) = out.glob("*.whl")
    return Published(sdist, wheel)


def make_environment(folder: Path) -> Path:
    """A virtual environment without this checkout; its `bin`. Dependencies come from the tests' own."""
    venv.create(folder, with_pip=False, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    # A plain path line: editable installs that lie in that folder are not followed.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


def check_installed(binaries: Path, tmp_path: Path, inside: Path) -> None:
    """The command of an environment serves, and its code lies `inside` that folder."""
    environment = {"PATH": f"{binaries}:{os.environ['PATH']}", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
    where = run(binaries / "python", "-c", "import dns_server; print(dns_server.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(inside), where
    assert run(binaries / "unizone", "--version", cwd=tmp_path, environment=environment).startswith("unizone ")
    zones = tmp_path / "zones"
    zones.mkdir()
    (zones / "example.com").write_text("@ 60 SOA ns1 h 1 2 3 4 5\n@ 60 NS ns1\nns1 60 A 192.0.2.1\n")
    asked = run(
        *(binaries / "unizone", "ask", "ns1.example.com", "A", f"--zones={zones}"),
        cwd=tmp_path,
        environment=environment,
    )
    assert "192.0.2.1" in asked
    line = [str(binaries / "unizone"), "serve", f"--zones={zones}", "--listen=127.0.0.1:0", "--log-format=json"]
    with subprocess.Popen(line, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        events = until_ready(server.stderr)
        server.terminate()
        assert server.wait(60) == 0, events


def until_ready(lines: Iterator[str]) -> list[dict[str, object]]:
    events = []
    for line in lines:
        events.append(json.loads(line))
        if events[-1]["event"] == "ready":
            return events
    raise AssertionError(f"it ended before it was ready: {events}")


def test_wheel_installs_and_serves(published: Published, tmp_path: Path) -> None:
    binaries = make_environment(tmp_path / "environment")
    pip = [sys.executable, "-m", "pip", "--python", str(binaries / "python"), "--disable-pip-version-check"]
    run(*pip, "install", "--quiet", "--no-index", "--no-deps", published.wheel, cwd=tmp_path)
    check_installed(binaries, tmp_path, tmp_path / "environment")


def test_wheel_holds_the_program_alone(published: Published) -> None:
    with zipfile.ZipFile(published.wheel) as wheel:
        names = wheel.namelist()
    tops = {name.split("/")[0] for name in names}
    assert {"dns_server", "zones", "stack", "dns_platform", "dns_build"} <= tops
    assert not tops & {"tests", "build", "platform"}
    assert "dns_server/example_zones/garden.example" in names
    assert "dns_server/py.typed" in names


def test_wheel_holds_compiled_modules(published: Published) -> None:
    if shutil.which("cc") is None:
        pytest.skip("there is no compiler")
    with zipfile.ZipFile(published.wheel) as wheel:
        names = wheel.namelist()
    for module in ("zones/zonefile/scanner", "stack/interface/express_core", "dns_server/answer/core/responder"):
        assert f"{module}{sysconfig.get_config_var('EXT_SUFFIX')}" in names
        assert f"{module}.py" in names
    assert "none-any" not in published.wheel.name


@pytest.mark.parametrize("variables", [{"UNIZONE_COMPILE": "0"}, {"CC": "/bin/false"}])
def test_wheel_is_plain_python_without_a_compiler(variables: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    run(*command, cwd=tmp_path, environment={**os.environ, **variables})
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert not [name for name in archive.namelist() if name.endswith((".so", ".c"))]


def test_a_missing_compiler_stops_the_build_where_compiling_is_asked_for(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    environment = {**os.environ, "UNIZONE_COMPILE": "1", "CC": "/bin/false"}
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, timeout=PATIENCE_S)
    assert result.returncode != 0
    assert not list(tmp_path.glob("*.whl"))


def test_sdist_holds_the_source_roots(published: Published) -> None:
    with tarfile.open(published.sdist) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    tracked = run("git", "ls-files", cwd=ROOT).splitlines() if (ROOT / ".git").exists() else []
    missing = {name for name in tracked if name not in names and not name.startswith(".git")}
    assert not missing
    assert {
        "build/dns_build/__init__.py",
        "platform/dns_platform/__init__.py",
        "Makefile",
        "tests/__init__.py",
    } <= names


def test_editable_install_of_the_sdist_serves(published: Published, tmp_path: Path) -> None:
    with tarfile.open(published.sdist) as sdist:
        # Python 3.11.2, Debian 12's, knows no filters.
        sdist.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
        sdist.extractall(tmp_path / "source")
    (source,) = (tmp_path / "source").iterdir()
    binaries = make_environment(tmp_path / "environment")
    pip = [sys.executable, "-m", "pip", "--python", str(binaries / "python"), "--disable-pip-version-check"]
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    before = sources_of(source / "build")
    run(*pip, "install", *options, "--editable", source, cwd=tmp_path)
    assert sources_of(source / "build") == before  # build/ holds sources
    check_installed(binaries, tmp_path, source)


def sources_of(folder: Path) -> list[Path]:
    """What lies below `folder`, Python's own cache aside."""
    return sorted(path for path in folder.rglob("*") if "__pycache__" not in path.parts)
