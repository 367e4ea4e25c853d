"""What the tests talk to instead of the world: real servers on 127.0.0.1 and a real OpenTelemetry SDK in memory.

A *reply* is what the model server answers to one request, an *ending* is how its body ends, and a *snapshot* is
everything that was recorded, without what differs from run to run.
"""

from loopback._serving import Serving
from loopback.instrumentors import uninstrument_all
from loopback.model_server import ModelServer, RecordedRequest, closed_port
from loopback.otlp import OtlpReceiver
from loopback.replies import Ending, Hang, Json, Ndjson, Reply, Sse, Text
from loopback.snapshot import Snapshot, same
from loopback.telemetry import Point, Telemetry, settle

__all__ = [
    "Ending",
    "Hang",
    "Json",
    "ModelServer",
    "Ndjson",
    "OtlpReceiver",
    "Point",
    "RecordedRequest",
    "Reply",
    "Serving",
    "Snapshot",
    "Sse",
    "Telemetry",
    "Text",
    "closed_port",
    "same",
    "settle",
    "uninstrument_all",
]
