"""What is installed: versions, entry points, and the requirement of each SDK in the metadata of this package."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, entry_points, requires, version

from packaging.requirements import InvalidRequirement, Requirement

OURS = "opentelemetry-instrumentation-genai"


def version_of(distribution: str) -> str:
    """Return the version of a distribution; empty if it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def names_of(group: str) -> list[str]:
    """Return the names of the entry points of a group."""
    return sorted({entry.name for entry in entry_points(group=group)})


def requirement_of(sdk: str) -> str:
    """Return what to give to `pip install` for an SDK in a supported version: `openai>=1.26.0,<4`; empty if that is not known."""
    extra = sdk.replace("_", "-")
    try:
        wanted = [Requirement(line) for line in requires(OURS) or ()]
    except (PackageNotFoundError, InvalidRequirement):
        return ""
    for each in wanted:
        if each.marker is not None and f'extra == "{extra}"' in str(each.marker):
            return f"{each.name}{each.specifier}"
    return ""
