"""What a process is made of: every installed distribution, and those whose modules it loaded (EV-02)."""

import sys
import sysconfig
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from tradeworthy import __version__
from tradeworthy.kernel.journal.files import write_durably

PRODUCT = "tradeworthy"
ENTRIES = frozenset({"__main__", "__mp_main__"})
SBOM, MODULES = "sbom.json", "loaded_modules.json"


def bill() -> dict[str, Any]:
    """Return the bill of materials in the shape of CycloneDX: each distribution by name and version, sorted."""
    versions = {PRODUCT: __version__}
    for one in metadata.distributions():
        name = one.metadata["Name"]
        if name:
            versions.setdefault(canonical_name(name), one.version)
    components = [
        {"type": "library", "name": name, "version": version, "purl": f"pkg:pypi/{name}@{version}"}
        for name, version in sorted(versions.items())
    ]
    return {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": components}


def loaded(modules: Mapping[str, str | None], owners: Mapping[str, list[str]], *, standard: str) -> dict[str, Any]:
    """Return the distributions that own these modules; a module of none stands under its own name.

    modules   the file of each by its name, None for one that another module's binary made in memory
    owners    top-level module to its distributions;  standard  the folder of the standard library
    """
    found = set()
    for name, file in modules.items():
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names or top in ENTRIES:
            continue
        if top in owners:
            found |= {canonical_name(one) for one in owners[top]}
        elif file is not None and not (file.startswith(standard) and "site-packages" not in file):
            found.add(canonical_name(top))
    return {"modules": sorted(found)}


def modules_here() -> dict[str, str | None]:
    """Return the file of each module that this process loaded."""
    return {name: getattr(module, "__file__", None) for name, module in tuple(sys.modules.items())}


def canonical_name(name: str) -> str:
    """Return a distribution's name as an index spells it."""
    return name.lower().replace("_", "-").replace(".", "-")


def tell(folder: Path) -> None:
    """Write both files of this process."""
    folder.mkdir(parents=True, exist_ok=True)
    found = loaded(
        modules_here(), metadata.packages_distributions(), standard=sysconfig.get_path("stdlib")
    )
    write_durably(folder / SBOM, msgspec.json.encode(bill(), order="sorted") + b"\n")
    write_durably(folder / MODULES, msgspec.json.encode(found, order="sorted") + b"\n")
