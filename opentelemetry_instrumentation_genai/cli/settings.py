"""The settings as they apply in this environment: the value of each, where it comes from, and what it is for.

What `instrument()` is given in code is not known here: a keyword has precedence over all of this.
"""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, NamedTuple

from .._masking.masking import masked
from .._runtime.errors import PartlyError, RefusedError
from .._runtime.guard import printable
from .._settings.config import Config, accepts_off, declared_settings, default_of, given, variable
from .._settings.readers import READERS

if TYPE_CHECKING:
    from collections.abc import Mapping

NOT_SHOWN = "(set, not shown)"
_ATTRIBUTE = re.compile(r"^    (\w+): (.*(?:\n {6,}.*)*)", re.MULTILINE)


class Setting(NamedTuple):
    """One setting as it applies.

    Attributes:
        name: its name: the keyword, and the key in the declarative file.
        variable: its environment variable.
        value: the value that applies, as a user would write it; no credential is in it.
        source: `default`, the environment variable, or the file with the place in it.
        default: the default, as a user would write it.
        accepted: what is accepted.
        meaning: what it is for, in one sentence.
        problem: why the value that was given does not apply, or a part of it; empty if it does.
    """

    name: str
    variable: str
    value: str
    source: str
    default: str
    accepted: str
    meaning: str
    problem: str = ""


def meanings() -> dict[str, str]:
    """Return what each setting is for, by its name, as the docstring of `Config` has it."""
    found = _ATTRIBUTE.findall(inspect.cleandoc(Config.__doc__ or ""))
    return {name: re.sub(r"\s+", " ", text).rstrip(".") for name, text in found}


def sentence(meaning: str) -> str:
    """Return a meaning with a capital letter."""
    return meaning[:1].upper() + meaning[1:]


def settings(sdk: str = "") -> list[Setting]:
    """Return all settings as they apply.

    Args:
        sdk: the SDK; its own section of the declarative file counts as well; empty for none.
    """
    meaning = meanings()
    declared = declared_settings(sdk) or {}
    return [_setting(name, declared, sentence(meaning.get(name, ""))) for name in READERS]


def _setting(name: str, declared: Mapping[str, tuple[str, object]], meaning: str) -> Setting:
    default, accepted = default_of(name), READERS[name].accepted
    found = given(name, {}, declared)
    if found is None:
        return Setting(name, variable(name), default, "default", default, accepted, meaning)
    place, value = found
    source = f"environment variable {place}" if place == variable(name) else f"declarative file {printable(place)}"
    applies, problem = _read(name, value, default)
    return Setting(name, variable(name), applies, source, default, accepted, meaning, problem)


def _read(name: str, value: object, default: str) -> tuple[str, str]:
    """Return the value that applies, and why that is not the one that was given."""
    reader = READERS[name]
    try:
        reader.read("off" if value is False and accepts_off(name) else value)
    except PartlyError as error:
        return _text(value), f"not accepted, and left out: {printable(masked(error.left_out))}"
    except Exception as error:  # noqa: BLE001 - whatever a reader raises, the value is not accepted
        why = f" ({error})" if isinstance(error, RefusedError) and not reader.secret else ""
        what = NOT_SHOWN if reader.secret else _text(value)
        applies = "no content is captured" if reader.refuses else "the default applies"
        return default, printable(masked(f"{what} is not accepted{why}: {applies}. Accepted is: {reader.accepted}"))
    return (NOT_SHOWN if reader.secret else _text(value)), ""


def _text(value: object) -> str:
    """Return a value as a user would write it, with credentials masked."""
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, dict):
        text = ",".join(f"{key}={entry}" if entry not in (None, "") else str(key) for key, entry in value.items())
    elif isinstance(value, (list, tuple)):
        text = ",".join(map(str, value))
    else:
        text = str(value)
    return printable(masked(text))
