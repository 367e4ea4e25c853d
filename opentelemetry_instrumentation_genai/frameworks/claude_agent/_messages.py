"""The messages of the SDK, as the application reads them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..._application.steps import AsyncSteps

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from ..._application.block import Block
    from ._connections import Connection


async def followed(source: AsyncGenerator[Any, Any], block: Block, connection: Connection) -> AsyncGenerator[Any, Any]:
    """Yield the messages of the SDK. It is a generator, as the SDK's own is, that the event loop closes where it is dropped.

    Args:
        source: the generator of the SDK.
        block: that each step of it runs in.
        connection: takes the messages.
    """
    steps: Any = AsyncSteps(source, block)
    with suppress(StopAsyncIteration):
        message = await steps.first()
        while True:
            connection.read(message)
            try:
                sent = yield message
            except GeneratorExit:
                await steps.aclose()
                raise
            except BaseException as error:  # noqa: BLE001 - whatever is thrown is passed on to the generator
                message = await steps.athrow(error)
            else:
                message = await steps.asend(sent)
