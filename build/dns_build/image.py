"""Build an image: freeze the application, compile the shim, link, and tell what went in."""

import hashlib
import json
import shutil
import subprocess
import sysconfig
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dns_build import binding, cache, compiled, manifest, parts, runtime, symbols, toolchain
from dns_build.features import DEFAULT, Features
from dns_build.progress import BuildError, step
from dns_build.recipe import ROOT
from dns_build.targets import PLATFORM, Target

OUTPUT = ROOT / "out"
MODULES = ROOT / "build" / "modules.toml"

WARNINGS = ("-std=gnu17", "-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wstrict-prototypes", "-Wmissing-prototypes")


@dataclass(frozen=True)
class Application:
    """What an image runs: `function` of `module` is called without arguments, and its result is the exit code."""

    module: str
    function: str
    also: Sequence[str] = ()
    """Modules that it loads by computed names."""
    started: Sequence[str] = ()
    """Modules that every start loads, by computed names or inside functions."""
    started_direct: Sequence[str] = ()
    """The same for machines without sockets."""
    root: Path | None = None
    """A folder with modules of its own, for images that are not the service (tests)."""


_VERBS = ("serve", "args", "config")
SERVICE = Application(
    "dns_server.cli",
    "main",
    also=tuple(f"dns_server.commands.{verb}" for verb in _VERBS),
    started=("dns_server.commands.serve",),
    started_direct=("dns_server.direct", "dns_server.listeners.direct"),
)


def _files(folder: Path) -> dict[str, bytes]:
    """Contents of the regular files of a folder by path; hidden ones (`.git`) are left alone, as `--zones` does."""
    if not folder.is_dir():
        raise BuildError(f"--baked: {folder} is no folder")
    found = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    hidden = {path for path in found if any(part.startswith(".") for part in path.parts)}
    return {str(path): (folder / path).read_bytes() for path in found if path not in hidden}


@dataclass(frozen=True)
class Image:
    """A built image."""

    path: Path
    sha256: str
    size: int
    parts: parts.Part
    manifest: Path
    sbom: Path


@dataclass(frozen=True)
class Build:
    """One build: a target, an application, and where it goes."""

    target: Target
    application: Application = SERVICE
    features: Features = DEFAULT
    baked: Path | None = None
    """Folder with zones that the image serves from its start."""
    output: Path = OUTPUT
    name: str = "unizone"
    is_fresh: bool = False
    """Whether modules are compiled again that the cache has."""
    roots: dict[str, Path] = field(init=False)

    def __post_init__(self) -> None:
        own = {"application": self.application.root} if self.application.root else {}
        names = (*self.features.facades, *self.target.facades)
        facades = {f"facades/{name}": PLATFORM / "facades" / name for name in names}
        packages = Path(sysconfig.get_path("purelib"))
        object.__setattr__(
            self,
            "roots",
            {
                **own,
                **facades,
                "generated": self.work / "generated",
                "unizone": ROOT,
                "dns_platform": PLATFORM,
                "packages": packages,
            },
        )

    @property
    def path(self) -> Path:
        """The image."""
        return self.output / f"{self.name}-{self.target.name}"

    @property
    def configuration(self) -> Path:
        """The file beside the image by which Xen's `xl` starts it."""
        return self.path.with_name(self.path.name + ".xl")

    @property
    def work(self) -> Path:
        """Folder for what is made on the way."""
        return self.output / f"{self.name}-{self.target.name}.work"

    def run(self) -> Image:
        """Build it. BuildError says what is wrong and what to do."""
        with step(f"image {self.path.name}"):
            base = runtime.build(tls=self.features.tls)
            shutil.rmtree(self.work, ignore_errors=True)
            self.work.mkdir(parents=True)
            with step("freezing modules"):
                self._freeze(base)
            with step("compiling"):
                objects = self._compile(base)
            with step("linking"):
                whole = self._link(base, objects)
            return self._finish(whole)

    def _freeze(self, base: runtime.Runtime) -> None:
        table = tomllib.loads(MODULES.read_text())
        generated = self.roots["generated"]
        generated.mkdir()
        (generated / "unizone_versions.py").write_text(f"VERSIONS = {manifest.versions()!r}\n")
        (generated / "unizone_tables.py").write_text(
            "MODULES = PACKAGES = PATTERNS = STARTED = TEXTS = WAITING = {}\n"
        )  # `freeze` fills it
        for name, source in self.features.generated().items():
            (generated / f"{name}.py").write_text(source)
        if self.baked is not None:
            (generated / "unizone_baked.py").write_text(f"FILES = {_files(self.baked)!r}\n")
        job = {
            "applications": [self.application.module],
            "started": [
                *self.application.started,
                *(self.application.started_direct if self.target.has_binding else ()),
            ],
            "roots": {name: str(folder) for name, folder in {**self.roots, "stdlib": base.stdlib}.items()},
            "also": {
                **table["also"],
                self.application.module: list(self.application.also),
                binding.MODULE: [binding.BACKEND],
                **{name: [compiled.SHARED] for name in compiled.modules()},
            },
            "waiting": table["waiting"]["modules"],
            "asked": table["waiting"]["asked"],
            "typed": table["typed"]["modules"],
            "left_out": sorted({**table["left_out"], **self.features.left_out}),
            "extensions": {
                **(binding.EXTENSIONS if self.target.has_binding else {}),
                **{name: compiled.initialiser(name) for name in (*compiled.modules(), compiled.SHARED)},
                **self.features.extensions,
            },
            "machine": [*binding.EXTENSIONS] if self.target.has_binding else [],
            "packer": str(base.prefixes["lz4"] / "bin" / "lz4-pack"),
            "output": str(self.work),
        }
        result = subprocess.run(
            [base.interpreter, "-S", "-P", "-X", "no_debug_ranges", "-m", "dns_build.freeze"],
            input=json.dumps(job),
            text=True,
            capture_output=True,
            check=False,
            env={"PYTHONHOME": str(base.home), "PYTHONPATH": str(ROOT / "build"), "PYTHONDONTWRITEBYTECODE": "1"},
        )
        if result.returncode:
            raise BuildError(f"modules can't be frozen:\n{result.stderr}", hint=f"see {MODULES}")

    def _compile(self, base: runtime.Runtime) -> list[Path]:
        include = base.prefixes["cpython"] / "include"
        flags = [
            *toolchain.CFLAGS,
            f"-I{PLATFORM / 'include'}",
            *(f"-I{PLATFORM / folder}" for folder in self.target.folders),
            f"-isystem{include}",
            f"-isystem{base.prefixes['lz4'] / 'include'}",
            *toolchain.unnamed({ROOT: ".", self.work: ".", **{path: name for name, path in base.prefixes.items()}}),
        ]
        definitions = [
            f'-DUNIZONE_MODULE="{self.application.module}"',
            f'-DUNIZONE_FUNCTION="{self.application.function}"',
        ]
        units = [
            (source, [*WARNINGS, *definitions, *self.target.flags, *self.features.flags])
            for folder in self.target.folders
            for source in sorted((PLATFORM / folder).glob("*.[cS]"))
        ]
        units += [(self.work / "tables.c", ["-DPy_BUILD_CORE"]), (self.work / "frozen.S", [])]
        reached = set(json.loads((self.work / "modules.json").read_text())["builtin"])
        if self.target.has_binding:
            binding.generate(self.work / "binding.c")
            units.append((self.work / "binding.c", []))
        return [
            *(self._compile_one(base, source, [*flags, *options]) for source, options in units),
            *(
                self._compile_module(base, name, flags)
                for name in (*compiled.modules(), compiled.SHARED)
                if name in reached
            ),
        ]

    def _compile_module(self, base: runtime.Runtime, name: str, flags: list[str]) -> Path:
        """Object file of a module that Cython compiles; these take most of a build's time, so the cache keeps them."""

        def build(folder: Path) -> None:
            if name == compiled.SHARED:
                source = compiled.generate_shared(self.work)
            else:
                source = self.work / f"{name}.c"
                compiled.generate(compiled.modules()[name], source)
            options = [*flags, *compiled.options(name)]
            self._compile_one(base, source, options).rename(folder / "module.o")

        work = self.work / "compiled" if self.is_fresh else cache.folder() / "compiled"
        key = compiled.key(name, base.prefixes["cpython"].name, *toolchain.CFLAGS)
        return cache.build_once(work / f"{name}-{key}", build) / "module.o"

    def _compile_one(self, base: runtime.Runtime, source: Path, options: list[str]) -> Path:
        target = self.work / f"{source.parent.name}-{source.stem}.o"
        command = [str(base.compiler), *options, "-c", str(source), "-o", str(target)]
        toolchain.run(command, cwd=self.work, log=self.work / "log")
        return target

    def _link(self, base: runtime.Runtime, objects: list[Path]) -> Path:
        """Link; twice where the image has the names of its own functions."""
        if not self.target.has_symbols:
            return self._link_once(base, objects)
        table = self.work / "symbols.c"
        table.write_text(symbols.source(None))
        whole = self._link_once(base, [*objects, self._compile_one(base, table, [])])
        table.write_text(symbols.source(whole))
        return self._link_once(base, [*objects, self._compile_one(base, table, [])])

    def _link_once(self, base: runtime.Runtime, objects: list[Path]) -> Path:
        whole = self.work / "whole"
        libraries = [
            base.prefixes["cpython"] / "lib" / "libpython3.13.a",
            base.prefixes["cpython"] / "lib" / "libHacl_Hash_SHA2.a",
            base.prefixes["zlib"] / "lib" / "libz.a",
            base.prefixes["lz4"] / "lib" / "liblz4.a",
        ]
        if self.target.has_binding:
            libraries.insert(0, base.prefixes["cffi"] / "lib" / "_cffi_backend.o")
            libraries.append(base.prefixes["libffi"] / "lib" / "libffi.a")
        if self.features.tls:
            folder = base.prefixes["openssl"] / "lib"
            libraries += [folder / "_ssl.o", folder / "libssl.a", folder / "libcrypto.a"]
        command = [
            str(base.compiler),
            *self.target.link,
            "-Wl,--gc-sections,--build-id=none,-z,noexecstack,-z,relro,-z,now",
            "-Wl,--wrap=PyMarshal_ReadObjectFromString",  # platform/common/frozen.c unpacks what it reads
            f"-Wl,-Map={self.work / 'map'}",
            *(str(item) for item in (*objects, *libraries)),
            "-lm",
            "-o",
            str(whole),
        ]
        toolchain.run(command, cwd=self.work, log=self.work / "log")
        return whole

    def _finish(self, whole: Path) -> Image:
        stripped = self.work / "stripped"
        toolchain.run(["objcopy", "--strip-all", str(whole), str(stripped)], cwd=self.work, log=self.work / "log")
        shutil.copy(stripped, self.path)
        if self.target.configuration:
            self.configuration.write_text(self.target.configuration.format(image=self.path.name))
        data = self.path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        report = json.loads((self.work / "modules.json").read_text())
        tree = parts.measure(self.path, self.work / "map", report)
        linked = [
            *("musl", "zlib", "lz4", "cpython"),
            *(["libffi", "cffi"] if self.target.has_binding else []),
            *(["openssl"] if self.features.tls else []),
        ]
        manifest_path, sbom_path = manifest.write(
            self.path, digest, tree, report, components=manifest.components(report, linked)
        )
        return Image(self.path, digest, len(data), tree, manifest_path, sbom_path)
