"""What the service imports, as the builder of images sees it: a change anywhere in the project can break an image.

The graph is traced here with this machine's standard library, so that it needs no archives; images have their own.
"""

import fnmatch
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

from dns_build import binding, compiled, graph
from dns_build.features import DEFAULT
from dns_build.freeze import OWN_ROOTS
from dns_build.image import MODULES, SERVICE
from dns_build.recipe import ROOT
from dns_build.targets import PLATFORM, TARGETS


@pytest.fixture(scope="module", params=["unix", "virtio"])  # others have the same facades as virtio
def traced(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[graph.Graph, graph.Rules]:
    """The graph of the service for a target, and the rules that it was traced by."""
    target = TARGETS[request.param]
    generated = tmp_path_factory.mktemp("generated")
    stdlib = Path(sysconfig.get_path("stdlib"))
    table = tomllib.loads(MODULES.read_text())
    for name, source in {**DEFAULT.generated(), "unizone_versions": ""}.items():
        (generated / f"{name}.py").write_text(source)
    facades = (*DEFAULT.facades, *target.facades)
    linked = (stdlib / "lib-dynload").glob("*.so")
    rules = graph.Rules(
        roots={
            **{f"facades/{name}": PLATFORM / "facades" / name for name in facades},
            "generated": generated,
            "unizone": ROOT,
            "dns_platform": PLATFORM,
            "packages": Path(sysconfig.get_path("purelib")),
            "stdlib": stdlib,
        },
        also={**table["also"], SERVICE.module: list(SERVICE.also)},
        left_out=frozenset({*table["left_out"], *DEFAULT.left_out}),
        builtin=frozenset(sys.builtin_module_names)
        | {path.name.partition(".")[0] for path in linked}
        | binding.EXTENSIONS.keys(),
    )
    return graph.trace([SERVICE.module], rules), rules


def test_nothing_of_ours_needs_what_images_lack(traced: tuple[graph.Graph, graph.Rules]) -> None:
    found, _ = traced
    needs = [
        f"{module} imports {missing}, which no image has (build/modules.toml): import it where it is used, or give "
        "images a facade (platform/facades)"
        for module, missing in sorted(found.broken)
        if found.modules[module].root in OWN_ROOTS and module not in compiled.modules()
    ]
    assert not needs, "\n".join(needs)


def test_nothing_of_ours_imports_names_that_it_computes(traced: tuple[graph.Graph, graph.Rules]) -> None:
    found, rules = traced
    computed = {name for name in found.computed if found.modules[name].root in OWN_ROOTS} - rules.also.keys()
    assert not computed, (
        f"images would lack what {computed} import: write the whole name as a text, or list it in {MODULES}"
    )


def test_what_every_start_asks_is_among_what_waits(traced: tuple[graph.Graph, graph.Rules]) -> None:
    found, _ = traced
    waiting = tomllib.loads(MODULES.read_text())["waiting"]
    for name in waiting["asked"]:
        assert name in found.modules
        assert any(fnmatch.fnmatch(name, pattern) for pattern in waiting["modules"])


def test_every_compiled_module_is_reached(traced: tuple[graph.Graph, graph.Rules]) -> None:
    found, _ = traced
    missing = compiled.modules().keys() - found.modules.keys()
    assert not missing, f"compiled modules that no image would have: {sorted(missing)}"
