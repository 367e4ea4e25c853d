"""The turns of an agent that an SDK runs as a generator. The run begins with its first turn."""

from __future__ import annotations

from .._application.steps import AsyncSteps, Steps


class Turns(Steps):
    """The turns of a run. The application's code between two turns is outside the run."""

    _self_begun = False

    def send(self, value: object) -> object:
        if getattr(self.__wrapped__, "gi_running", False):  # a step within a step, which the generator refuses
            return self.__wrapped__.send(value)
        self._self_begun = True
        return super().send(value)

    def throw(self, *error: object) -> object:
        return super().throw(*error) if self._self_begun else self.__wrapped__.throw(*error)

    def close(self) -> None:
        if self._self_begun:
            super().close()
        else:  # nothing has run
            self.__wrapped__.close()


class AsyncTurns(AsyncSteps):
    """The asynchronous counterpart of `Turns`."""

    _self_begun = False

    async def asend(self, value: object) -> object:
        if getattr(self.__wrapped__, "ag_running", False):
            return await self.__wrapped__.asend(value)
        self._self_begun = True
        return await super().asend(value)

    async def athrow(self, *error: object) -> object:
        return await (super().athrow(*error) if self._self_begun else self.__wrapped__.athrow(*error))

    async def aclose(self) -> None:
        if self._self_begun:
            await super().aclose()
        else:
            await self.__wrapped__.aclose()
