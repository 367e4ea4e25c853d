"""LiteLLM's proxy, which translates between APIs, in front of a llama-server."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

from servers.base import PythonServer
from servers.running import HOST, Running, free_port

# Any address where nothing answers: the model behind it fails before it is asked.
_NOWHERE = f"http://{HOST}:9/v1"


class LiteLLM(PythonServer):
    """It makes a unknown_server's errors, too, and exports spans of its own over OTLP/HTTP."""

    name = "litellm"
    takes = "2 minutes, 800 MB"
    requirements = ("litellm[proxy]==1.106.2", "opentelemetry-sdk", "opentelemetry-exporter-otlp")

    def start(self, log: Path, upstream: str, otlp: str | None = None) -> tuple[Running, str]:
        """Serves `tiny`, which the upstream answers, and `limited`, which answers 429.

        Args:
            log: the file for what it writes.
            upstream: the URL of an OpenAI-compatible server.
            otlp: the HTTP endpoint that it exports its spans to.

        Returns:
            The server, and the key that it asks for.
        """
        port, key = free_port(), f"sk-{secrets.token_hex(16)}"
        configuration = log.parent / "litellm.json"
        configuration.write_text(json.dumps(_configured(upstream, otlp is not None)), encoding="utf-8")
        command = [self.bin / "litellm", "--config", configuration, "--host", HOST, "--port", str(port)]
        command += ["--telemetry", "False"]
        # Its table of prices is the one that it comes with.
        environment = {"LITELLM_MASTER_KEY": key, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        if otlp:
            environment |= {"OTEL_EXPORTER": "otlp_http", "OTEL_ENDPOINT": otlp, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        return Running(command, port, "/health/liveliness", log, environment=environment, seconds=120), key


def _configured(upstream: str, traced: bool) -> dict[str, object]:
    """The configuration, in JSON, which is YAML too."""
    tiny = {"model": "hosted_vllm/tiny", "api_base": f"{upstream}/v1", "api_key": "none"}
    limited = {"model": "openai/limited", "api_base": _NOWHERE, "api_key": "none"}
    return {
        "model_list": [
            {"model_name": "tiny", "litellm_params": tiny},
            {"model_name": "limited", "litellm_params": {**limited, "mock_response": "litellm.RateLimitError"}},
        ],
        "litellm_settings": {
            "telemetry": False,
            "num_retries": 0,
            "drop_params": True,
            "forward_traceparent_to_llm_provider": True,
            **({"callbacks": ["otel"]} if traced else {}),
        },
        "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY"},
    }
