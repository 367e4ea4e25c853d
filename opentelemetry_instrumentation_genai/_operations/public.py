"""The operations that an application names: public classes, each a context manager and a decorator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._runtime.guard import guarded
from .._signals.application import in_use
from .endpoints import AGENT, APPLICATION_STEP, RETRIEVAL, TOOL, WORKFLOW
from .operation import Operation, arguments_of, reads_input

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class invoke_workflow(Operation):  # noqa: N801 - it reads as a statement
    """Record a workflow: a process of several agents, model calls or other operations.

    Args:
        name: its name; of a decorated function, by default that of the function.
        input: what it is given: a text, or messages with `role` and `content`. Recorded where content is captured.
    """

    _endpoint = WORKFLOW

    def __init__(self, name: str | None = None, *, input: object = None) -> None:  # noqa: A002 - the term of the conventions
        super().__init__(name=name, input=input)


class invoke_agent(Operation):  # noqa: N801 - as above
    """Record the run of an agent. The model calls and the tools in it are counted for it.

    Args:
        name: its name; of a decorated function, by default that of the function.
        agent_id: its id.
        description: what it does.
        version: its version.
        model: the model that it uses.
        provider: the provider of that model, by `gen_ai.provider.name`.
        input: what it is given: a text, or messages with `role` and `content`. Recorded where content is captured.
    """

    _endpoint = AGENT

    def __init__(
        self,
        name: str | None = None,
        *,
        agent_id: str | None = None,
        description: str | None = None,
        version: str | None = None,
        model: str | None = None,
        provider: str | None = None,
        input: object = None,  # noqa: A002 - as above
    ) -> None:
        super().__init__(
            name=name,
            agent_id=agent_id,
            description=description,
            version=version,
            model=model,
            provider=provider,
            input=input,
        )


class execute_tool(Operation):  # noqa: N801 - as above
    """Record the execution of a tool. Of a decorated function, its arguments and its result are those of the tool.

    Args:
        name: its name; of a decorated function, by default that of the function.
        call_id: the id of the model's call of the tool.
        description: what it does.
        type: `function`, `extension` or `datastore`, by `gen_ai.tool.type`.
        arguments: what it is given. Recorded where content is captured.
    """

    _endpoint = TOOL

    def __init__(
        self,
        name: str | None = None,
        *,
        call_id: str | None = None,
        description: str | None = None,
        type: str = "function",  # noqa: A002 - as above
        arguments: object = None,
    ) -> None:
        super().__init__(name=name, call_id=call_id, description=description, type=type, arguments=arguments)

    @guarded
    def _of_function(self, function: Callable[..., object], args: Any, kwargs: Any) -> Mapping[str, Any]:
        found = super()._of_function(function, args, kwargs) or {}
        if "arguments" in self._given or not reads_input(TOOL, in_use()):
            return found
        return {**found, "arguments": arguments_of(function, args, kwargs)}


class retrieval(Operation):  # noqa: N801 - as above
    """Record a retrieval of documents.

    Args:
        data_source: the id of what is searched; of a decorated function, by default its name.
        query: the text that is searched for. Recorded where content is captured.
        top_k: how many documents are asked for.
        provider: of the service that searches, if there is one.
        model: that makes the vector of the query, if there is one.
    """

    _endpoint = RETRIEVAL

    def __init__(
        self,
        data_source: str | None = None,
        *,
        query: str | None = None,
        top_k: int | None = None,
        provider: str | None = None,
        model: str | None = None,
    ) -> None:
        super().__init__(data_source=data_source, query=query, top_k=top_k, provider=provider, model=model)

    @guarded
    def _of_function(self, function: Callable[..., object], _args: Any, _kwargs: Any) -> Mapping[str, Any]:
        name = getattr(function, "__name__", None)
        return {} if name is None or "data_source" in self._given else {"data_source": name}


class step(Operation):  # noqa: N801 - as above
    """Record a step for which there is no other word, such as making a prompt or parsing an answer.

    Args:
        name: its name; of a decorated function, by default that of the function.
    """

    _endpoint = APPLICATION_STEP

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name=name)
