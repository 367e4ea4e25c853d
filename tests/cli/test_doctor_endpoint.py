"""What the doctor says of an endpoint: whether it accepts OTLP, and which of the usual mistakes it is if not."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import pytest

from loopback import closed_port
from opentelemetry_instrumentation_genai.cli.doctor import endpoint
from opentelemetry_instrumentation_genai.cli.doctor.finding import Finding
from opentelemetry_instrumentation_genai.cli.doctor.telemetry import Telemetry

CERTIFICATE = Path(__file__).parents[1] / "data" / "tls" / "loopback.pem"
OTLP = "OTEL_EXPORTER_OTLP_"
UNSENDABLE = (
    "endpoint.headers",
    "A header of the exporter cannot be sent: the value of authorization has a line break or another character that no header may have.",
    "Correct OTEL_EXPORTER_OTLP_HEADERS: name=value,name=value, with %20 for a space.",
)
MALFORMED = [
    ("Authorization: Bearer hunter2", "Authorization has a colon where = has to be, and is left out"),
    ("hunter2", "number 2 has no =, and is left out; a comma in a value is %2C"),
    ("hunter22345: y", "number 2 has a colon where = has to be, and is left out"),
    ('key="hunter2"', "key has a character that has to be written in percent, and is left out"),
]


@pytest.fixture
def check(monkeypatch) -> Callable[..., list[Finding]]:
    """What the doctor finds of the endpoint that some variables name."""

    def check(timeout: float = 2, **variables: str) -> list[Finding]:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return list(endpoint.check(Telemetry().targets, timeout))

    return check


@pytest.fixture
def over_http(check) -> Callable[..., list[Finding]]:
    """The same over HTTP to one endpoint."""

    def over_http(url: str, **variables: str) -> list[Finding]:
        return check(**{OTLP + "PROTOCOL": "http/protobuf", OTLP + "ENDPOINT": url, **variables})

    return over_http


@pytest.fixture
def over_grpc(check) -> Callable[..., list[Finding]]:
    """The same over gRPC, which is the default, to one endpoint."""
    return lambda url, **variables: check(**{OTLP + "ENDPOINT": url, **variables})


def texts(findings: list[Finding]) -> list[tuple[str, str, str]]:
    """Code, sentence and what to do."""
    return [(finding.code, finding.what, finding.todo) for finding in findings]


@contextmanager
def answering(status: int, *, secure: bool = False, **headers: str) -> Iterator[str]:
    """A server that answers every request with a status and headers; what it is reached by."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.send_response_only(status)
            for name, value in {"content-length": "0", **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            """Nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_arguments: Any) -> None:
            """A handshake that fails is what a test is about."""

    server = Server(("127.0.0.1", 0), Handler)
    if secure:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=[0.01], daemon=True)
    thread.start()
    try:
        yield f"http{'s' * secure}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def aborting(code: grpc.StatusCode, *, secure: bool = False) -> Iterator[str]:
    """A gRPC server that fails every call with a status; what it is reached by."""

    class Aborts(grpc.GenericRpcHandler):
        def service(self, _details: Any) -> Any:
            return grpc.unary_unary_rpc_method_handler(lambda _request, context: context.abort(code, "no"))

    server = grpc.server(ThreadPoolExecutor(max_workers=2), handlers=[Aborts()])
    if secure:
        pem = CERTIFICATE.read_bytes()
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(pem, pem)]))
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"http{'s' * secure}://127.0.0.1:{port}"
    server.stop(grace=None).wait(10)


def port_of(url: str) -> str:
    """The port of a URL."""
    return url.rpartition(":")[2]


class TestHttp:
    """OTLP over HTTP."""

    def test_a_receiver_accepts_all_signals(self, over_http, receiver):
        """An empty export of each is sent, which is no record."""
        assert [
            ("endpoint.accepts", f"{receiver.http_url} accepts traces, metrics, logs over http/protobuf.", "")
        ] == texts(over_http(receiver.http_url))
        assert ([], [], []) == (receiver.spans, receiver.metrics, receiver.logs)

    def test_only_what_is_exported_is_asked_for(self, over_http, receiver):
        """A signal without exporter is not sent."""
        findings = over_http(receiver.http_url, OTEL_METRICS_EXPORTER="none", OTEL_LOGS_EXPORTER="console")

        assert [f"{receiver.http_url} accepts traces over http/protobuf."] == [finding.what for finding in findings]

    def test_nothing_listens(self, over_http):
        """It says where, and what to do."""
        port = closed_port()
        (finding,) = over_http(f"http://127.0.0.1:{port}")

        assert ("endpoint.refused", f"Nothing listens at 127.0.0.1:{port}, where traces, metrics, logs go.") == (
            finding.code,
            finding.what,
        )
        assert finding.todo.startswith("Start the collector or the backend, or set OTEL_EXPORTER_OTLP_ENDPOINT")

    def test_http_is_sent_to_a_port_for_grpc(self, over_http, receiver):
        """The other way round than most, and as silent without this."""
        port = port_of(receiver.grpc_url)

        assert [
            (
                "endpoint.http_to_grpc",
                f"HTTP/1.1 is sent to 127.0.0.1:{port}, which speaks gRPC.",
                "export OTEL_EXPORTER_OTLP_PROTOCOL=grpc, or use the port for HTTP, usually 4318.",
            )
        ] == texts(over_http(receiver.grpc_url))

    def test_the_path_is_in_the_endpoint(self, over_http, receiver):
        """`/v1/traces` is added to it once more, which is a bare 404 otherwise."""
        assert [
            (
                "endpoint.path_twice",
                f"OTEL_EXPORTER_OTLP_ENDPOINT ends in /v1/traces, and the exporter adds that once more: {receiver.http_url}/v1/traces/v1/traces answers 404.",
                f"export OTEL_EXPORTER_OTLP_ENDPOINT={receiver.http_url}",
            )
        ] == texts(over_http(f"{receiver.http_url}/v1/traces"))

    def test_the_path_is_not_in_the_endpoint_of_one_signal(self, check, receiver):
        """To which nothing is added."""
        findings = check(
            OTEL_METRICS_EXPORTER="none",
            OTEL_LOGS_EXPORTER="none",
            **{OTLP + "PROTOCOL": "http/protobuf", OTLP + "TRACES_ENDPOINT": receiver.http_url},
        )

        assert [
            (
                "endpoint.no_path",
                f"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is used as it is, without /v1/traces being added: {receiver.http_url} answers 404.",
                "Add /v1/traces to it, or set OTEL_EXPORTER_OTLP_ENDPOINT instead, to which it is added.",
            )
        ] == texts(findings)

    def test_another_path(self, over_http, receiver):
        """A prefix that the server does not have."""
        (finding,) = over_http(f"{receiver.http_url}/otlp")

        assert (
            "endpoint.not_found",
            f"{receiver.http_url}/otlp/v1/traces answers 404: there is no OTLP at this path.",
        ) == (
            finding.code,
            finding.what,
        )

    @pytest.mark.parametrize("status", [401, 403])
    def test_credentials_that_are_refused(self, over_http, status):
        """The names of the headers are said, never their values."""
        with answering(status) as url:
            (finding,) = over_http(url, **{OTLP + "HEADERS": "authorization=Bearer%20s3cret,x-tenant=acme"})

        assert (
            "endpoint.credentials",
            f"{url}/v1/traces answers {status}: the credentials are missing or wrong. Headers sent: authorization, x-tenant.",
        ) == (
            finding.code,
            finding.what,
        )
        assert "s3cret" not in str(finding.as_json())

    def test_the_headers_are_sent(self, over_http, server_with_key):
        """With them the same server accepts."""
        refused = over_http(server_with_key)
        accepted = over_http(server_with_key, **{OTLP + "HEADERS": "authorization=Bearer%20key"})

        assert (["endpoint.credentials"], ["endpoint.accepts"]) == (codes(refused), codes(accepted))

    @pytest.mark.parametrize("value", ["Bearer%20hunter2%0Axyz", "Bearer%20hunter2%0D%0Ax:%20y", "%E4%B8%AD%20hunter2"])
    def test_a_header_that_cannot_be_sent(self, over_http, receiver, value):
        """The library quotes it; its name is shown, and what is wrong."""
        (finding,) = over_http(receiver.http_url, **{OTLP + "HEADERS": f"authorization={value}"})

        assert UNSENDABLE == texts([finding])[0]
        assert "hunter2" not in str(finding)

    @pytest.mark.parametrize(("header", "mistake"), MALFORMED)
    def test_a_header_that_cannot_be_read(self, over_http, receiver, capfd, header, mistake):
        """OpenTelemetry leaves it out, and logs it with its value; here neither that nor anything else has it."""
        findings = over_http(receiver.http_url, **{OTLP + "HEADERS": f"x-tenant=acme,{header}"})

        assert f"A header of the exporter cannot be sent: {mistake}." == findings[0].what
        assert ["endpoint.headers", "endpoint.accepts"] == codes(findings)
        assert "hunter2" not in str([*findings, *capfd.readouterr()])

    def test_a_key_in_place_of_a_name(self, over_http):
        """The names of headers are shown where they can be some."""
        with answering(401) as url:
            (finding,) = over_http(url, **{OTLP + "HEADERS": "c3VwZXJzZWNyZXQ==,x-tenant=acme"})

        assert "Headers sent: x-tenant, …." == finding.what[-26:]

    def test_the_user_of_the_endpoint_is_sent(self, over_http):
        """As the exporter does."""
        with _server(lambda _path, headers: 200 if headers["authorization"] == "Basic dTpwQHc=" else 401) as url:
            findings = over_http(url.replace("://", "://u:p%40w@"))

        assert ["endpoint.accepts"] == codes(findings)

    @pytest.mark.parametrize(
        "url",
        [
            "http://user:hunt/hunter2@127.0.0.1:4318",
            "http://user:hunter2@127.0.0.1:hunter2",
            "http://user:hunter2@[127.0.0.1",
            "http://user:hunter2\u2100@127.0.0.1:4318",
            "http://127.0.0.1:1/hunter2 x?hunter2",
        ],
    )
    def test_an_endpoint_that_is_no_url(self, over_http, url):
        """Which is no traceback, nor is a part of it shown."""
        (finding,) = over_http(url)

        assert "endpoint.url" == finding.code
        assert "hunter2" not in str(finding) + str([each.as_json() for each in Telemetry().findings])

    @pytest.mark.parametrize("proxy", ["http:/user:hunter2@127.0.0.1:1", "http://127.0.0.1:hunter2"])
    def test_a_proxy_that_is_no_url(self, over_http, monkeypatch, proxy):
        """The library quotes it."""
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        (finding,) = over_http("http://collector.invalid:4318", http_proxy=proxy)

        assert "endpoint.url" == finding.code
        assert "hunter" not in str(finding.as_json())

    def test_tls_is_spoken_to_plain_text(self, over_http, receiver):
        """Https in place of http."""
        (finding,) = over_http(receiver.http_url.replace("http:", "https:"))

        assert ("endpoint.tls_to_plain", "Write http:// in place of https:// in the endpoint.") == (
            finding.code,
            finding.todo,
        )

    def test_plain_text_is_sent_to_tls(self, over_http):
        """Http in place of https."""
        with answering(200, secure=True) as url:
            (finding,) = over_http(url.replace("https:", "http:"))

        assert "endpoint.plain_to_tls" == finding.code
        assert f"Plain text is sent to 127.0.0.1:{port_of(url)}, which speaks TLS." == finding.what

    def test_a_certificate_that_is_not_trusted(self, over_http):
        """With the variable that names it, it is."""
        with answering(200, secure=True) as url:
            distrusted = over_http(url)
            trusted = over_http(url, **{OTLP + "CERTIFICATE": str(CERTIFICATE)})

        assert (["endpoint.certificate"], ["endpoint.accepts"]) == (codes(distrusted), codes(trusted))
        assert "OTEL_EXPORTER_OTLP_CERTIFICATE" in distrusted[0].todo

    def test_no_scheme(self, over_http, receiver):
        """`localhost:4318` is no URL."""
        address = receiver.http_url.removeprefix("http://")

        assert [("endpoint.no_scheme", f"{OTLP}ENDPOINT={address} has no http:// or https:// in front.")] == [
            text[:2] for text in texts(over_http(address))
        ]

    @pytest.mark.parametrize("user", ["user:hunter2@", "hunter2@", "user:hunter2/x@"])
    def test_no_scheme_and_a_password(self, over_http, user):
        """Which is not shown."""
        (finding,) = over_http(f"{user}127.0.0.1:4318/hunter2?key=hunter2")

        assert "endpoint.no_scheme" == finding.code
        assert "hunter2" not in str(finding) + str(finding.as_json())

    def test_a_page_is_no_otlp(self, over_http):
        """A backend's user interface answers anything with 200."""
        with answering(200, content_type="text/html; charset=utf-8") as url:
            (finding,) = over_http(url)

        assert "endpoint.no_otlp" == finding.code
        assert "its answer is text/html; charset=utf-8" in finding.what

    def test_a_redirect(self, over_http):
        """The exporter does not follow it with what it sends."""
        with answering(301, location="https://other.example/v1/traces") as url:
            (finding,) = over_http(url)

        assert f"{url}/v1/traces answers 301 and sends elsewhere: https://other.example/v1/traces." == finding.what

    def test_another_status(self, over_http):
        """It is said as it is."""
        with answering(503) as url:
            (finding,) = over_http(url)

        assert ("endpoint.status", f"{url}/v1/traces answers 503 Service Unavailable.") == (finding.code, finding.what)

    def test_a_port_that_says_nothing(self, over_http):
        """Accepting and silent, as behind a firewall."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            (finding,) = over_http(f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=0.2)

        assert ("endpoint.silent", "no answer in time") == (finding.code, finding.values["why"])

    def test_a_host_that_is_not_known(self, over_http):
        """By a name that is reserved for that."""
        (finding,) = over_http("http://no-such-host.invalid:4318")

        assert "endpoint.unresolved" == finding.code
        assert finding.what.startswith("The host no-such-host.invalid of the endpoint is not known: ")

    def test_a_server_that_takes_traces_alone(self, over_http, only_traces):
        """As Jaeger: the other signals are named with the variable that stops them."""
        findings = over_http(only_traces)

        assert [
            ("endpoint.accepts", f"{only_traces} accepts traces over http/protobuf.", ""),
            (
                "endpoint.signal",
                f"{only_traces}/v1/metrics takes no metrics: it answers 404.",
                "If it is not to have them: export OTEL_METRICS_EXPORTER=none",
            ),
            (
                "endpoint.signal",
                f"{only_traces}/v1/logs takes no logs: it answers 404.",
                "If it is not to have them: export OTEL_LOGS_EXPORTER=none",
            ),
        ] == texts(findings)

    def test_credentials_in_the_url_are_not_shown(self, over_http):
        """Neither those before the host, nor a query."""
        with answering(503) as url:
            (finding,) = over_http(url.replace("://", "://user:hunter2@"))

        assert "hunter2" not in str(finding.as_json())

    @pytest.mark.parametrize(
        ("minutes", "expected"),
        [(0, "The clocks of this machine and of 127.0.0.1 agree."), (-2, "ahead of"), (2, "behind")],
    )
    def test_clocks(self, over_http, minutes, expected):
        """By the Date of the answer."""
        date = format_datetime(datetime.now(timezone.utc) + timedelta(minutes=minutes), usegmt=True)
        with answering(200, date=date) as url:
            _, finding = over_http(url)

        assert expected in finding.what
        assert finding.code == ("clock.right" if minutes == 0 else "clock.skew")


def codes(findings: list[Finding]) -> list[str]:
    """Their codes."""
    return [finding.code for finding in findings]


@pytest.fixture
def server_with_key() -> Iterator[str]:
    """A server that wants a header."""
    with _server(lambda _path, headers: 200 if headers.get("authorization") == "Bearer key" else 401) as url:
        yield url


@pytest.fixture
def only_traces() -> Iterator[str]:
    """A server that takes traces and nothing else."""
    with _server(lambda path, _headers: 200 if path == "/v1/traces" else 404) as url:
        yield url


@contextmanager
def _server(status: Callable[[str, Any], int]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response_only(status(self.path, self.headers))
            self.send_header("content-length", "0")
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=[0.01], daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class TestGrpc:
    """OTLP over gRPC."""

    def test_a_server_for_http_that_answers_http_2_with_a_page(self, over_grpc):
        """As that of Python's library does: it has no status line, and is recognised all the same."""
        with answering(404) as url:
            assert ["endpoint.grpc_to_http"] == codes(over_grpc(url))

    def test_a_receiver_accepts_all_signals(self, over_grpc, receiver):
        """An empty export of each is sent, which is no record."""
        assert [("endpoint.accepts", f"{receiver.grpc_url} accepts traces, metrics, logs over grpc.", "")] == texts(
            over_grpc(receiver.grpc_url)
        )
        assert ([], [], []) == (receiver.spans, receiver.metrics, receiver.logs)

    def test_the_default_is_grpc_and_the_port_is_for_http(self, over_grpc, receiver):
        """The most frequent confusion, which is `Failed parsing HTTP/2` otherwise."""
        port = port_of(receiver.http_url)

        assert [
            (
                "endpoint.grpc_to_http",
                f"gRPC is sent to 127.0.0.1:{port}, which speaks HTTP/1.1.",
                "export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf. (gRPC is the default; its port is usually 4317.)",
            )
        ] == texts(over_grpc(receiver.http_url))

    def test_nothing_listens(self, over_grpc):
        """The same as over HTTP."""
        assert ["endpoint.refused"] == codes(over_grpc(f"http://127.0.0.1:{closed_port()}"))

    @pytest.mark.parametrize("code", [grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED])
    def test_credentials_that_are_refused(self, over_grpc, code):
        """By the status of gRPC."""
        with aborting(code) as url:
            (finding,) = over_grpc(url)

        assert f"{url} answers {code.name}: the credentials are missing or wrong. Headers sent: none." == finding.what

    @pytest.mark.parametrize("value", ["Bearer%20hunter2%0Axyz", "%E4%B8%AD%20hunter2"])
    def test_a_header_that_cannot_be_sent(self, over_grpc, receiver, value):
        """Its name is shown, and what is wrong."""
        (finding,) = over_grpc(receiver.grpc_url, **{OTLP + "HEADERS": f"authorization={value},x-key=hunter2"})

        assert UNSENDABLE == texts([finding])[0]
        assert "hunter2" not in str(finding)

    def test_a_name_that_grpc_does_not_send(self, over_grpc, receiver):
        """HTTP would."""
        (finding,) = over_grpc(receiver.grpc_url, **{OTLP + "HEADERS": "x$y=hunter2"})

        assert "A header of the exporter cannot be sent: gRPC accepts none with such a name or value." == finding.what
        assert "hunter2" not in str(finding)

    def test_another_service(self, over_grpc):
        """gRPC, and no OTLP."""
        with aborting(grpc.StatusCode.UNIMPLEMENTED) as url:
            (finding,) = over_grpc(url)

        assert f"{url} answers, but not as OTLP does (UNIMPLEMENTED no)." == finding.what

    def test_plain_text_is_sent_to_tls(self, over_grpc):
        """Http in place of https."""
        with aborting(grpc.StatusCode.UNAUTHENTICATED, secure=True) as url:
            (finding,) = over_grpc(url.replace("https:", "http:"))

        assert "endpoint.plain_to_tls" == finding.code

    def test_tls_is_spoken_to_plain_text(self, over_grpc, receiver):
        """Https in place of http."""
        assert ["endpoint.tls_to_plain"] == codes(over_grpc(receiver.grpc_url.replace("http:", "https:")))

    def test_a_certificate_that_is_not_trusted(self, over_grpc):
        """With the variable that names it, it is."""
        with aborting(grpc.StatusCode.UNAUTHENTICATED, secure=True) as url:
            distrusted = over_grpc(url)
            trusted = over_grpc(url, **{OTLP + "CERTIFICATE": str(CERTIFICATE)})

        assert (["endpoint.certificate"], ["endpoint.credentials"]) == (codes(distrusted), codes(trusted))

    def test_no_scheme(self, over_grpc, receiver):
        """The exporter speaks TLS then, which surprises."""
        assert ["endpoint.no_scheme"] == codes(over_grpc(receiver.grpc_url.removeprefix("http://")))

    def test_no_scheme_where_a_variable_says_that_it_is_plain(self, over_grpc, receiver):
        """Which is a way to spell it."""
        findings = over_grpc(receiver.grpc_url.removeprefix("http://"), **{OTLP + "INSECURE": "true"})

        assert ["endpoint.accepts"] == codes(findings)


def test_nothing_is_sent_by_otlp(check):
    """It is said that no server was asked."""
    none = dict.fromkeys(("OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER"), "console")

    assert ["endpoint.none"] == codes(check(**none))


def test_both_protocols_side_by_side(check, receiver):
    """Each signal is sent where its own variables say."""
    findings = check(
        **{
            OTLP + "ENDPOINT": receiver.grpc_url,
            OTLP + "LOGS_ENDPOINT": f"{receiver.http_url}/v1/logs",
            OTLP + "LOGS_PROTOCOL": "http/protobuf",
        }
    )

    assert [
        f"{receiver.grpc_url} accepts traces, metrics over grpc.",
        f"{receiver.http_url} accepts logs over http/protobuf.",
    ] == [finding.what for finding in findings]
