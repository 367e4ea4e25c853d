# ruff: noqa: D101, D102 - it looks as those of others do
"""Replaces methods of each client of Bedrock when it is made."""

from functools import wraps

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
from opentelemetry.trace import get_tracer
from wrapt import wrap_function_wrapper


class BedrockInstrumentor(BaseInstrumentor):
    def instrumentation_dependencies(self):
        return ()

    def _instrument(self, **kwargs):
        from botocore.client import ClientCreator

        tracer = get_tracer(__name__, tracer_provider=kwargs.get("tracer_provider"))
        self._original = ClientCreator.create_client

        def around(method):
            @wraps(method)
            def call(*args, **kwargs):
                with tracer.start_as_current_span("theirs"):
                    return method(*args, **kwargs)

            return call

        def create(wrapped, instance, args, kwargs):
            client = wrapped(*args, **kwargs)
            if client.meta.service_model.service_name == "bedrock-runtime":
                client.converse = around(client.converse)
                client.invoke_model = around(client.invoke_model)
            return client

        wrap_function_wrapper("botocore.client", "ClientCreator.create_client", create)

    def _uninstrument(self, **kwargs):
        from botocore.client import ClientCreator

        ClientCreator.create_client = self._original
