"""Other instrumentations of Amazon Bedrock: a call that one of them reports is not reported here as well.

That of `botocore` wraps the method that sends all requests. Those of Bedrock alone replace methods of each client when it is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._patching.other_instrumentations import Others, reporter_of, warn_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..._adapter.endpoint import Endpoint

_METHODS = ("converse", "converse_stream", "invoke_model", "invoke_model_with_response_stream")


class BedrockOthers(Others):
    """The other instrumentations of the SDK.

    Args:
        instrumentor: what all packages call their instrumentor of it.
        endpoints: all that are followed.
        allowed: whether calls that others report are reported here as well.
    """

    def __init__(self, instrumentor: str, endpoints: Iterable[Endpoint], *, allowed: bool) -> None:
        super().__init__("botocore", instrumentor, "_make_api_call", endpoints, allowed=allowed)

    def report_method(self, client: Any, method: str, endpoint: Endpoint) -> bool:
        """Return whether another instrumentation reports a call, so that ours is not to.

        Args:
            client: the SDK's client that makes it.
            method: the client's method by which it is made.
            endpoint: the call's.
        """
        if self._allowed:
            return False
        replaced = client.__dict__
        if any(name in replaced for name in _METHODS):
            reporters = {name: reporter_of(replaced.get(name)) for name in _METHODS}
            if any(reporters.values()):  # it has replaced the methods that it reports, and reports no others
                reporter = reporters.get(method)
                if reporter is not None:
                    warn_of(self._sdk, reporter)
                return reporter is not None
        return self.report(client, endpoint)
