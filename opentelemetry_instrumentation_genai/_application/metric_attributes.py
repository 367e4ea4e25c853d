"""Attributes of the application on metrics: tags and entries of baggage that a setting lists, each with a limit of values.

Every value of an attribute is a series of its own in a metrics backend, and an application may set any. So a value beyond the limit is
recorded as `other`.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from opentelemetry.baggage import get_baggage

from .._adapter.fields import string
from .._conventions.names import ENDUSER_ID, ENDUSER_PSEUDO_ID, TAG
from .._runtime.guard import guarded, warn_once

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.context.context import Context

    from .._adapter.fields import Attribute

_USERS = frozenset({ENDUSER_ID, ENDUSER_PSEUDO_ID, "user_id", "user.id"})
OTHER = "other"
"""What is recorded in place of a value beyond the limit."""


class BoundedValues:
    """The values of one attribute that are recorded: the first ones that come, up to a limit.

    Args:
        name: what a warning calls the attribute.
        limit: how many values are recorded.
        setting: the variable of the setting that raises the limit.
    """

    def __init__(self, name: str, limit: int, setting: str) -> None:
        self._name = name
        self._limit = limit
        self._setting = setting
        self._values: set[str] = set()
        self._lock = Lock()

    def of(self, value: str) -> str:
        """Return the value as it is recorded."""
        if value in self._values:
            return value
        with self._lock:
            if len(self._values) < self._limit:
                self._values.add(value)
                return value
        warn_once(
            "%s has had %s different values: further ones are recorded on metrics as 'other'. The limit is %s.",
            self._name,
            self._limit,
            self._setting,
        )
        return OTHER


class MetricAttributes:
    """The attributes of an application that metric points have.

    Args:
        names: of tags and of entries of baggage.
        limit: how many values of each are recorded.
        baggage: (key, attribute or None, whether it is a user's id) of the entries of baggage that spans have.
        setting: the variable of the setting that raises the limit.
    """

    def __init__(
        self, names: Sequence[str], limit: int, baggage: Sequence[tuple[str, str | None, bool]], setting: str
    ) -> None:
        users = _USERS.union(key for key, _, names_user in baggage if names_user)
        for name in users.intersection(names):
            warn_once("%s names a user: metrics never have it, and it is left out.", name)
        attributes = {key: attribute for key, attribute, names_user in baggage if attribute and not names_user}
        self._sources = [
            (name, TAG + name, attributes.get(name, name), BoundedValues(name, limit, setting))
            for name in names
            if name not in users
        ]

    @guarded
    def of(self, context: Context, attribution: Mapping[str, Attribute]) -> dict[str, Attribute]:
        """Return the attributes of a call. A tag counts before an entry of baggage with the same name.

        Args:
            context: in which the call is made.
            attribution: the attributes by which the application attributes the call.
        """
        found: dict[str, Attribute] = {}
        for name, tag, attribute, values in self._sources:
            tagged = attribution.get(tag)
            if tagged is not None and not isinstance(tagged, list):  # no dashboard could group by a list
                found[tag] = values.of(str(tagged))
            elif (value := string(get_baggage(name, context))) is not None:
                found[attribute] = values.of(value)
        return found
