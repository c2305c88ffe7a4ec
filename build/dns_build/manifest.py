"""What an image says about itself: a manifest with every module, and a software bill of materials (CycloneDX 1.5)."""

import hashlib
import json
import re
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from dns_build import parts, sources, toolchain


def write(
    image: Path, digest: str, tree: parts.Part, report: Mapping[str, Any], *, components: list[dict[str, Any]]
) -> tuple[Path, Path]:
    """Write both beside the image; their paths. No time stands in them: equal images have equal manifests."""
    manifest = image.with_name(image.name + ".manifest.json")
    contents = {
        "image": image.name,
        "size": tree.size,
        "sha256": digest,
        "compiler": toolchain.find().identity.split("\n"),
        "components": components,
        "parts": _tree(tree),
        **report,
    }
    manifest.write_text(json.dumps(contents, indent=1) + "\n")
    bill = image.with_name(image.name + ".cdx.json")
    bill.write_text(json.dumps(_cyclonedx(image, digest, components), indent=1) + "\n")
    return manifest, bill


def versions() -> dict[str, str]:
    """Versions of the project and of what it requires, by name."""
    names = [re.split(r"[^\w.-]", item)[0] for item in metadata.requires("unizone") or [] if "extra ==" not in item]
    return {name: metadata.version(name) for name in ["unizone", *sorted(names)]}


def components(report: Mapping[str, Any], linked: list[str]) -> list[dict[str, Any]]:
    """Name, version, licence, hash and changes of all that is linked: `linked` sources of the lock, Python packages."""
    pinned = sources.load()
    found: list[dict[str, Any]] = [
        {
            "name": name,
            "version": pinned[name].version,
            "licence": pinned[name].licence,
            "sha256": pinned[name].sha256,
            "changes": pinned[name].changes,
        }
        for name in linked
    ]
    by_module = metadata.packages_distributions()
    used: dict[str, list[str]] = {}
    for module in report["modules"]:
        if module["root"] == "packages":
            top = module["name"].partition(".")[0]
            for distribution in sorted(set(by_module.get(top, [top]))):
                used.setdefault(distribution, []).append(f"{module['name']}:{module['sha256']}")
    for name, modules in sorted(used.items()):
        about = metadata.metadata(name)
        found.append(
            {
                "name": about["Name"],
                "version": about["Version"],
                "licence": about["License-Expression"] or about["License"] or _classified(about),
                "sha256": hashlib.sha256("\n".join(modules).encode()).hexdigest(),
                "changes": "",
            }
        )
    return found


def _classified(about: metadata.PackageMetadata) -> str:
    names = [item for item in about.get_all("Classifier") or [] if item.startswith("License ::")]
    return names[0].rpartition(":: ")[2] if names else "unknown"


def _tree(part: parts.Part) -> dict[str, Any]:
    below = sorted(part.parts.values(), key=lambda item: (-item.size, item.name))
    return {"name": part.name, "size": part.size, **({"parts": [_tree(item) for item in below]} if below else {})}


def _cyclonedx(image: Path, digest: str, components: list[dict[str, Any]]) -> dict[str, Any]:
    def entry(component: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "type": "library",
            "name": component["name"],
            "version": component["version"],
            "licenses": [{"license": {"name": component["licence"]}}],
            "hashes": [{"alg": "SHA-256", "content": component["sha256"]}],
            **({"pedigree": {"notes": component["changes"]}} if component["changes"] else {}),
        }

    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "name": image.name,
                "version": metadata.version("unizone"),
                "hashes": [{"alg": "SHA-256", "content": digest}],
            }
        },
        "components": [entry(component) for component in components],
    }
