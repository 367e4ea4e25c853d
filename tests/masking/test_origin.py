"""What is shown of a URL: scheme, host and port, and nothing that may be a credential."""

from __future__ import annotations

import pytest

from opentelemetry_instrumentation_genai._masking.origin import origin


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:4318/hunter2/v1/traces?key=hunter2#hunter2", "http://127.0.0.1:4318"),
        ("https://user:hunter2@collector.example:4317", "https://collector.example:4317"),
        ("https://user:hunter@2@collector.example", "https://collector.example"),
        ("https://hunter2@[::1]:4317", "https://[::1]:4317"),
        ("user:hunter2@collector:4317", "collector:4317"),
        ("collector:4317/hunter2", "collector:4317"),
        ("http://user:hun/ter2@collector:4317", "http://…"),
        ("http://user:hun?ter2@collector:4317", "http://…"),
        ("http://collector:hunter2", "http://…"),
        ("Bearer hunter2://collector", "…"),
        ("", ""),
    ],
)
def test_origin(url, expected):
    """Where it is not sure which part is the host, that is not shown either."""
    assert expected == origin(url)
