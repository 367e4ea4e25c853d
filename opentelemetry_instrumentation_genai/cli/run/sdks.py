"""Which SDKs there are: by what this distribution says of itself, and what is installed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution, metadata, requires

from packaging.requirements import Requirement

_DISTRIBUTION = "opentelemetry-instrumentation-genai"
_OTHERS = frozenset({"cli", "instruments-any", "prices", "upload"})  # extras that bring no SDK


def extras() -> list[str]:
    """Return the extras that install an SDK."""
    found = metadata(_DISTRIBUTION).get_all("Provides-Extra") or []
    return sorted(set(found) - _OTHERS)


def installed_sdks() -> list[str]:
    """Return the names of the SDKs that are instrumented and installed, of whatever version."""
    requirements = map(Requirement, requires(_DISTRIBUTION) or [])
    names = {one.name for one in requirements if one.marker and 'extra == "instruments-any"' in str(one.marker)}
    return sorted(filter(_is_installed, names))


def _is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True
