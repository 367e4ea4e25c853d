"""All findings: level, sentence, and what to do. `docs/doctor.md` has this table; a test compares them.

A word in braces is a place for a value.
"""

from __future__ import annotations

from .program_catalogue import PROGRAM
from .row import Row

_COLLECTOR = (
    "Start the collector or the backend, or set OTEL_EXPORTER_OTLP_ENDPOINT to where it is. "
    "Without a backend: opentelemetry-genai run -- python app.py shows calls in the terminal, opentelemetry-genai view in the browser."
)

_SETUP: dict[str, Row] = {
    # Python and SDKs
    "python.version": Row("ok", "Python {version} ({executable}) with opentelemetry-instrumentation-genai {package}."),
    "sdk.instrumented": Row("ok", "{sdk} {version} is instrumented."),
    "sdk.none": Row(
        "problem",
        "No SDK that can be instrumented is installed for {executable}.",
        "Run this command by the Python of your application, or install an SDK: pip install openai.",
    ),
    "sdk.absent": Row("info", "Not installed: {sdks}."),
    "sdk.unsupported": Row(
        "problem",
        "{sdk} {version} is installed, supported is {supported}: its calls are not recorded.",
        "pip install '{requirement}', or install a version of opentelemetry-instrumentation-genai that supports yours.",
    ),
    "sdk.disabled": Row(
        "warning",
        "{sdk} {version} is installed, and is not instrumented: {why}.",
        "If its calls are to be recorded, change that.",
    ),
    "sdk.broken": Row(
        "warning",
        "{sdk} is installed, but {module} cannot be imported: {error}.",
        "If your application uses it, repair it: pip install --force-reinstall '{requirement}'.",
    ),
    "sdk.shadowed": Row(
        "problem",
        "`import {package}` finds {path}, which is not the SDK.",
        "Rename that file or folder: Python prefers it over the installed package.",
    ),
    "sdk.unpatched": Row(
        "problem",
        "{sdk} {version} is supported, but could not be patched: {logged}.",
        "Please report this, with both versions.",
    ),
    "sdk.inspection": Row(
        "problem",
        "The SDKs could not be looked at: {error}.",
        "Import your SDKs in a Python shell: one of them may end the process.",
    ),
    "sdk.others": Row(
        "warning",
        "{sdk} is also instrumented by {distribution}: calls that it reports are left to it, and are not recorded twice.",
        "To have them from this package: export OTEL_PYTHON_DISABLED_INSTRUMENTATIONS={name}. "
        "To have both: export OTEL_INSTRUMENTATION_GENAI_ALLOW_OTHERS=true.",
    ),
    "sdk.native": Row("info", "{sdk} {version} makes spans of its own: {what}."),
    "sdk.http": Row(
        "info",
        "There are no HTTP spans below the calls: that is another package, which is not installed.",
        "If you want them: pip install opentelemetry-instrumentation-httpx.",
    ),
    # OpenTelemetry
    "opentelemetry.versions": Row(
        "ok", "opentelemetry-sdk {sdk}, opentelemetry-instrumentation {instrumentation}, opentelemetry-distro {distro}."
    ),
    "opentelemetry.no_sdk": Row(
        "problem",
        "Nothing sets up OpenTelemetry's SDK here: there is no {missing}. Without it nothing is recorded.",
        "pip install opentelemetry-distro opentelemetry-exporter-otlp",
    ),
    "opentelemetry.disabled": Row("problem", "OTEL_SDK_DISABLED=true: nothing is recorded.", "unset OTEL_SDK_DISABLED"),
    "opentelemetry.start": Row(
        "info",
        "How your application is started is not known here. `python app.py` alone exports nothing, unless it sets up "
        "OpenTelemetry's SDK in code.",
        "Start it as opentelemetry-instrument python app.py. To have that looked at: opentelemetry-genai doctor -- python app.py",
    ),
    "opentelemetry.file": Row(
        "info",
        "The SDK is configured by {path}: of the variables OTEL_*, those for exporters and samplers are not read.",
    ),
    "opentelemetry.file_package": Row(
        "problem",
        "OTEL_CONFIG_FILE={path} is set, and opentelemetry-configuration, which reads it, is not installed.",
        "pip install opentelemetry-configuration",
    ),
    "opentelemetry.file_broken": Row(
        "problem",
        "OTEL_CONFIG_FILE={path} cannot be read: {why}. The SDK does not start, and no content is recorded.",
        "Repair the file, or unset OTEL_CONFIG_FILE.",
    ),
    "service.name": Row("ok", "The service is called {name}."),
    "service.unnamed": Row(
        "warning", "OTEL_SERVICE_NAME is not set: backends show unknown_service.", "export OTEL_SERVICE_NAME=my-app"
    ),
    "variable.misspelled": Row(
        "warning", "The environment variable {name} is not known, and has no effect.", "Is it {nearest}?"
    ),
    "variable.unknown": Row(
        "info",
        "The environment variable {name} is not one of this package.",
        "Another package may read it; opentelemetry-genai config lists ours.",
    ),
    "exporter.otlp": Row("ok", "{signal}: OTLP by {protocol} to {url}."),
    "exporter.other": Row("info", "{signal}: the exporter {name}."),
    "exporter.none": Row("warning", "{signal} are not exported: {why}.", "export {variable}=otlp"),
    "exporter.nothing": Row(
        "problem",
        "Nothing is exported: there is no exporter for any signal.",
        "export OTEL_TRACES_EXPORTER=otlp OTEL_METRICS_EXPORTER=otlp OTEL_LOGS_EXPORTER=otlp",
    ),
    "exporter.unknown": Row(
        "problem",
        "{variable}={name}: there is no exporter of this name. The SDK does not start, and nothing is recorded.",
        "Use otlp, console or none, or install the exporter. There are: {known}.",
    ),
    "exporter.missing": Row(
        "problem",
        "The exporter for OTLP by {protocol} is not installed. The SDK does not start, and nothing is recorded.",
        "pip install opentelemetry-exporter-otlp",
    ),
    "protocol.unknown": Row(
        "problem",
        "{variable}={value} is no protocol of the exporter. The SDK does not start, and nothing is recorded.",
        "export {variable}=http/protobuf (usually port 4318), or grpc (usually port 4317).",
    ),
    "sampler.off": Row(
        "problem", "{variable}={value} drops every span.", "unset {variable}, or use parentbased_always_on."
    ),
    "sampler.unknown": Row(
        "warning",
        "OTEL_TRACES_SAMPLER={value} is no sampler that is installed: the SDK uses parentbased_always_on.",
        "There are: {known}.",
    ),
    "sampler.share": Row(
        "info", "The sampler {value} keeps a share of {share} of the traces. Metrics count all calls."
    ),
    "limit.length": Row(
        "warning",
        "{variable}={value} cuts every attribute to {value} characters: messages are shortened to that.",
        "Raise or unset {variable} to have whole messages.",
    ),
    "limit.count": Row(
        "warning",
        "{variable}={value}: a span of a call has up to {most} attributes, and loses some.",
        "Set {variable} to at least {most}, or unset it.",
    ),
    # Endpoint
    "endpoint.none": Row(
        "info", "No server was asked: nothing is sent by OTLP, or what is wrong above keeps the SDK from starting."
    ),
    "endpoint.accepts": Row("ok", "{url} accepts {signals} over {protocol}."),
    "endpoint.refused": Row("problem", "Nothing listens at {host}:{port}, where {signals} go.", _COLLECTOR),
    "endpoint.default_refused": Row(
        "problem",
        "No endpoint is set, so {signals} go to {host}:{port} by {protocol}, where nothing listens. Each export is "
        "tried again for 10 s, also when the program ends.",
        _COLLECTOR,
    ),
    "endpoint.unresolved": Row(
        "problem",
        "The host {host} of the endpoint is not known: {why}.",
        "Correct OTEL_EXPORTER_OTLP_ENDPOINT, or look at the DNS of this machine.",
    ),
    "endpoint.silent": Row(
        "problem",
        "{host}:{port} does not answer ({why}).",
        "Look at host, port and firewall; a proxy counts too (HTTPS_PROXY, NO_PROXY).",
    ),
    "endpoint.grpc_to_http": Row(
        "problem",
        "gRPC is sent to {host}:{port}, which speaks HTTP/1.1.",
        "export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf. (gRPC is the default; its port is usually 4317.)",
    ),
    "endpoint.http_to_grpc": Row(
        "problem",
        "HTTP/1.1 is sent to {host}:{port}, which speaks gRPC.",
        "export OTEL_EXPORTER_OTLP_PROTOCOL=grpc, or use the port for HTTP, usually 4318.",
    ),
    "endpoint.tls_to_plain": Row(
        "problem",
        "TLS is spoken to {host}:{port}, which speaks plain text.",
        "Write http:// in place of https:// in the endpoint.",
    ),
    "endpoint.plain_to_tls": Row(
        "problem",
        "Plain text is sent to {host}:{port}, which speaks TLS.",
        "Write https:// in place of http:// in the endpoint, and unset OTEL_EXPORTER_OTLP_INSECURE.",
    ),
    "endpoint.certificate": Row(
        "problem",
        "The certificate of {host}:{port} is not trusted: {why}.",
        "export OTEL_EXPORTER_OTLP_CERTIFICATE=PATH of the certificate of its authority.",
    ),
    "endpoint.no_scheme": Row(
        "problem",
        "{variable}={value} has no http:// or https:// in front.",
        "export {variable}=http://{value}, or https://{value} if it speaks TLS.",
    ),
    "endpoint.path_twice": Row(
        "problem",
        "OTEL_EXPORTER_OTLP_ENDPOINT ends in /v1/{path}, and the exporter adds that once more: {url} answers {status}.",
        "export OTEL_EXPORTER_OTLP_ENDPOINT={base}",
    ),
    "endpoint.no_path": Row(
        "problem",
        "{variable} is used as it is, without /v1/{path} being added: {url} answers {status}.",
        "Add /v1/{path} to it, or set OTEL_EXPORTER_OTLP_ENDPOINT instead, to which it is added.",
    ),
    "endpoint.not_found": Row(
        "problem",
        "{url} answers {status}: there is no OTLP at this path.",
        "Look up the endpoint for OTLP in the documentation of your backend; many have a path before /v1/{path}.",
    ),
    "endpoint.signal": Row(
        "warning", "{url} takes no {signal}: it answers {status}.", "If it is not to have them: export {variable}=none"
    ),
    "endpoint.credentials": Row(
        "problem",
        "{url} answers {status}: the credentials are missing or wrong. Headers sent: {headers}.",
        "export OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer%20TOKEN', as your backend says; %20 is a space.",
    ),
    "endpoint.no_otlp": Row(
        "problem",
        "{url} answers, but not as OTLP does ({why}).",
        "It may be the page of the backend: use its port for OTLP, usually 4318 for HTTP and 4317 for gRPC.",
    ),
    "endpoint.redirect": Row(
        "problem",
        "{url} answers {status} and sends elsewhere: {location}.",
        "Set the endpoint to where it sends, without the /v1/... that the exporter adds.",
    ),
    "endpoint.status": Row("problem", "{url} answers {status}.", "Look at the logs of the backend."),
    "endpoint.headers": Row(
        "problem",
        "A header of the exporter cannot be sent: {why}.",
        "Correct {variable}: name=value,name=value, with %20 for a space.",
    ),
    "endpoint.url": Row(
        "problem",
        "The URL of the endpoint or of a proxy cannot be used: its host or port cannot be read, or it has a character that no URL may have.",
        "Correct OTEL_EXPORTER_OTLP_ENDPOINT or HTTPS_PROXY: http://HOST:PORT, with %40 for @, %2F for / and %23 for # in a password.",
    ),
    "endpoint.unchecked": Row("info", "{url} was not asked: {why}."),
    "clock.right": Row("ok", "The clocks of this machine and of {host} agree."),
    "clock.skew": Row(
        "warning",
        "The clock of this machine is {seconds} s {direction} that of {host}: its spans are shown at the wrong time, or dropped.",
        "Set the clock (NTP).",
    ),
    # Settings and content
    "setting.defaults": Row(
        "info", "All settings of this package have their defaults.", "opentelemetry-genai config lists them."
    ),
    "setting.set": Row("info", "{name} is {value} ({source}): {meaning}."),
    "setting.refused": Row(
        "problem", "{name} ({source}): {problem}.", "Correct it; opentelemetry-genai config --example env has examples."
    ),
    "setting.logged": Row("warning", "{message}", "Correct it; opentelemetry-genai config lists all settings."),
    "content.off": Row(
        "info",
        "Prompts are NOT recorded, nor are responses.",
        "To record them: export OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_and_event",
    ),
    "content.on": Row("info", "Prompts and responses ARE recorded {where}{which}, {redaction}."),
    "content.hook": Row("info", "Prompts and responses are given to the completion hook {hook}."),
    "content.refused": Row(
        "problem",
        "Prompts are NOT recorded, although that is set: a setting of redaction cannot be read.",
        "Correct the setting that is named above.",
    ),
    "content.no_logs": Row(
        "problem",
        "Messages go to events, which are logs, and logs are not exported.",
        "export OTEL_LOGS_EXPORTER=otlp, or OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_only",
    ),
    "content.events": Row(
        "info",
        "Events with messages are log records with severity DEBUG, called gen_ai.client.inference.operation.details: "
        "look for them among the logs of the backend; a pipeline that drops DEBUG drops them.",
    ),
}

CATALOGUE = _SETUP | PROGRAM
