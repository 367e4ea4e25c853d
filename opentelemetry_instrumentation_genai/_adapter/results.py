"""Results of earlier inferences, which a provider sends as a stream: one in each line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .fields import Attribute


class Inference(NamedTuple):
    """One inference, by its result.

    Attributes:
        position: of the result among all of the stream, from 1 on.
        attributes: model and usage, as a response of its own would have them.
    """

    position: int
    attributes: Mapping[str, Attribute]


@dataclass(frozen=True)
class Results:
    """How the results are read.

    Attributes:
        identity: the attribute of the request that names them: whoever reads them again sees them in the same order.
        latest: response as far as it was received -> the inference of the last result; None if that has no usage.
    """

    identity: str
    latest: Callable[[Any], Inference | None]
