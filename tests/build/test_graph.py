"""The import graph: what it follows, what it skips, and what it says it can't tell."""

from pathlib import Path

import pytest

from dns_build import graph


def traced(folder: Path, files: dict[str, str], **rules: object) -> graph.Graph:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    settings: dict[str, object] = {"also": {}, "left_out": frozenset(), "builtin": frozenset({"sys"}), **rules}
    return graph.trace(["app"], graph.Rules(roots={"own": folder}, **settings))  # type: ignore[arg-type]


def test_follows_imports_of_all_forms(tmp_path: Path) -> None:
    found = traced(
        tmp_path,
        {
            "app.py": "import a.b\nfrom c import d, name\ndef f():\n    import lazy\n    __import__('called')\n",
            "a/__init__.py": "from . import sibling\n",
            "a/b.py": "from .sibling import x\nfrom ..e import y\n",
            "a/sibling.py": "",
            "c/__init__.py": "",
            "c/d.py": "import sys\n",
            "lazy.py": "",
            "called.py": "",
            "unused.py": "",
        },
    )
    assert set(found.modules) == {"app", "a", "a.b", "a.sibling", "c", "c.d", "lazy", "called", "sys"}
    assert found.modules["sys"].path is None
    assert found.because["c.d"] == "app"


def test_skips_branches_that_no_target_takes(tmp_path: Path) -> None:
    found = traced(
        tmp_path,
        {
            "app.py": (
                "import sys\nfrom typing import TYPE_CHECKING\n"
                "if TYPE_CHECKING:\n    import types_only\n"
                "if sys.platform == 'win32':\n    import windows\nelse:\n    import unix\n"
                "if sys.version_info < (3, 0):\n    import old\n"
                "if __name__ == '__main__':\n    import program\n"
                "if unknown:\n    import either\nelse:\n    import other\n"
            ),
            **{f"{name}.py": "" for name in ("types_only", "windows", "unix", "old", "program", "either", "other")},
        },
    )
    assert set(found.modules) == {"app", "sys", "unix", "either", "other"}


def test_follows_imports_by_the_name_of_a_text(tmp_path: Path) -> None:
    app = (
        "from importlib import import_module\nOTHER: str = 'other'\n"
        "def f():\n    return import_module(OTHER), import_module(f'{OTHER}.below')\n"
    )
    found = traced(tmp_path, {"app.py": app, "other/__init__.py": "", "other/below.py": ""})
    assert set(found.modules) == {"app", "other", "other.below"}
    assert not found.computed


def test_left_out_modules_and_missing_ones_are_named_with_who_wants_them(tmp_path: Path) -> None:
    found = traced(
        tmp_path,
        {"app.py": "import heavy.part\nimport nowhere\n", "heavy/__init__.py": "", "heavy/part.py": ""},
        left_out=frozenset({"heavy"}),
    )
    assert set(found.modules) == {"app"}
    assert found.missing == {"heavy": {"app"}, "nowhere": {"app"}}


def test_modules_that_could_not_be_imported_are_named(tmp_path: Path) -> None:
    found = traced(
        tmp_path,
        {
            "app.py": "import left\nimport os.path\ntry:\n    import optional\nexcept ImportError:\n    pass\n"
            "def f():\n    import lazy\n",
            "left.py": "",
            "os.py": "",
        },
        left_out=frozenset({"left"}),
    )
    assert found.broken == {("app", "left")}


def test_computed_imports_are_reported_and_filled_from_the_table(tmp_path: Path) -> None:
    files = {
        "app.py": "from importlib import import_module\nimport_module(f'plugins.{1}')\n",
        "plugins/__init__.py": "",
        "plugins/one.py": "",
        "plugins/two.py": "",
    }
    found = traced(tmp_path, files, also={"app": ["plugins.*"]})
    assert set(found.modules) == {"app", "plugins", "plugins.one", "plugins.two"}
    assert found.computed == {"app"}


def test_first_root_wins_so_that_facades_replace_modules(tmp_path: Path) -> None:
    for folder in ("facades", "stdlib"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "select.py").write_text("")
    rules = graph.Rules(
        roots={"facades": tmp_path / "facades", "stdlib": tmp_path / "stdlib"},
        also={},
        left_out=frozenset(),
        builtin=frozenset({"select"}),
    )
    module = graph.find("select", rules)
    assert module is not None
    assert module.root == "facades"


def test_unknown_application_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="module app is in none of the search roots"):
        traced(tmp_path, {"other.py": ""})


def test_tells_what_a_start_imports(tmp_path: Path) -> None:
    found = traced(
        tmp_path,
        {
            "app.py": (
                "import a.b\nfrom c import d, name\ntry:\n    import optional\nexcept ImportError:\n    pass\n"
                "def f():\n    import called\nclass C:\n    import named\n"
            ),
            "a/__init__.py": "import sys, waiting\n",
            "c/__init__.py": "",
            "waiting.py": "import behind\n",
            **{f"{name}.py": "" for name in ("a/b", "c/d", "optional", "called", "named", "behind")},
        },
    )
    assert found.modules.keys() >= {"called", "waiting", "behind"}
    assert found.started(["app"], {"waiting"}) == {"app", "a", "a.b", "c", "c.d", "optional", "named", "sys"}
    assert found.started(["called", "unknown"], set()) == {"called"}
