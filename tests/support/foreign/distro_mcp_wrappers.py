# ruff: noqa: D101, D102 - it looks as those of others do
"""The wrappers of `distro_mcp`, in a module of their own."""


class ClientWrapper:
    def __init__(self, tracer):
        self._tracer = tracer

    def wrap_session_send(self, wrapped, instance, args, kwargs):
        async def sending():
            with self._tracer.start_as_current_span("theirs"):
                return await wrapped(*args, **kwargs)

        return sending()
