"""The image that the OpenTelemetry Operator injects: the steps of its Dockerfile, run here without an engine, and what comes of them."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest
from dockerfile_parse import DockerfileParser

import emitted
from loopback import ModelServer, OtlpReceiver
from loopback.openai_bodies import completion
from loopback.replies import Json
from manifests import CHART, named, template

PROVES = "the Operator's image: its steps run, and a plain application under them exports spans and metrics"
NOT_RUN = (
    "an engine that builds images: there is none here; the Dockerfile's steps are run as they stand",
    "the folder for musl: there is no Python with musl here; its compiled modules are checked for the C library that they need",
)

# As it was before the fixtures of other tests, which trust no certificates but their own: what is installed here comes from outside.
ENVIRONMENT = {
    name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "PYTHON", "VIRTUAL_ENV"))
}
ENVIRONMENT |= {"UV_COMPILE_BYTECODE": "0", "UV_PYTHON_DOWNLOADS": "never"}

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy/operator/Dockerfile"
LOCK = ROOT / "locks/operator.txt"
# What the Operator calls the folder that it copies into, and what it puts before and after the application's PYTHONPATH.
MOUNT = "otel-auto-instrumentation-python"
FIRST = "opentelemetry/instrumentation/auto_instrumentation"

PROGRAM = """
from openai import OpenAI

completion = OpenAI().chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Say hello."}])
print(completion.choices[0].message.content)
"""


def instructions(text: str) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile, in order."""
    parser = DockerfileParser(fileobj=io.BytesIO())
    parser.content = text
    return [(step["instruction"], step["value"]) for step in parser.structure if step["instruction"] != "COMMENT"]


def uv() -> str:
    """The program uv."""
    return shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}") or "uv"


class Image:
    """The stages of a Dockerfile as folders; only the instructions that ours has are known."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stages: dict[str, Path] = {}
        self.root = self.work = folder

    def run(self, instruction: str, value: str) -> None:
        """Take one step."""
        {"FROM": self.start, "WORKDIR": self.change, "COPY": self.copy, "RUN": self.execute, "USER": str}[instruction](
            value
        )

    def start(self, value: str) -> None:
        """Begin a stage."""
        name = value.rpartition(" AS ")[2] if " AS " in value else "last"
        self.root = self.work = self.stages[name] = self.folder / name
        self.root.mkdir()

    def change(self, value: str) -> None:
        """Make a folder, and go there."""
        self.work = self.root / value.lstrip("/")
        self.work.mkdir(parents=True)

    def copy(self, value: str) -> None:
        """Copy from the repository, or from another stage."""
        words = value.split()
        stage = words.pop(0).partition("=")[2] if words[0].startswith("--from=") else None
        *sources, target = words
        into = self.root / target.lstrip("/") if target.startswith("/") else self.work / target
        for source in sources:
            found = (self.stages[stage] / source.lstrip("/")) if stage else ROOT / source
            if found.is_dir():
                shutil.copytree(found, into, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
            else:
                into.mkdir(parents=True, exist_ok=True)
                shutil.copy2(found, into)

    def execute(self, value: str) -> None:
        """Run a command, with the programs that the stage has installed."""
        programs = self.folder / "programs"
        if not programs.exists():
            venv.create(programs, with_pip=True, symlinks=True)
        path = f"{programs / 'bin'}{os.pathsep}{os.environ['PATH']}"
        environment = {**ENVIRONMENT, "PATH": path, "VIRTUAL_ENV": str(programs)}
        done = subprocess.run(
            ["sh", "-ec", value],
            cwd=self.work,
            env=environment,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == 0, f"RUN {value}\n{done.stdout}{done.stderr}"


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of the image's last stage."""
    made = Image(tmp_path_factory.mktemp("image"))
    for step in instructions(DOCKERFILE.read_text()):
        made.run(*step)
    return made.root


@pytest.fixture
def volume(image: Path, tmp_path: Path) -> Path:
    """The volume of a pod after the Operator's init container has run."""
    mounted = tmp_path / MOUNT
    mounted.mkdir()
    subprocess.run(["cp", "-r", f"{image}/autoinstrumentation/.", mounted], check=True, timeout=60)
    return mounted


def python(version: str) -> str:
    """The interpreter of a version; the test is skipped if there is none."""
    found = subprocess.run(
        [uv(), "python", "find", "--no-project", "--system", "--no-python-downloads", version],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    if found.returncode != 0:
        pytest.skip(f"Python {version} is not here")
    return found.stdout.strip()


def application(folder: Path, version: str) -> str:
    """The interpreter of an environment that has an SDK, and nothing of OpenTelemetry."""
    subprocess.run([uv(), "venv", "--quiet", "--python", python(version), folder], check=True, timeout=120)
    install = [
        uv(),
        "pip",
        "install",
        "--quiet",
        "--python",
        folder,
        "--constraint",
        ROOT / "locks/latest.txt",
        "openai",
    ]
    subprocess.run(install, check=True, timeout=900, env=ENVIRONMENT)
    return str(folder / "bin/python")


@pytest.fixture(scope="module")
def variables(tools: Callable[[str], Path]) -> dict[str, str]:
    """What the Operator sets in a container: what it does by itself, and what the chart's Instrumentation has."""
    (one,) = named(template(tools("helm"), f"--values={CHART}/values/all.yaml"), "Instrumentation").values()
    spec = one["spec"]
    return {
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_SERVICE_NAME": "shop",
        "OTEL_RESOURCE_ATTRIBUTES": "k8s.namespace.name=shops,k8s.pod.name=shop-1,service.instance.id=shops.shop-1.shop",
        "OTEL_PROPAGATORS": ",".join(spec["propagators"]),
        **{given["name"]: given["value"] for given in spec["python"]["env"]},
    }


@pytest.mark.parametrize("version", ["3.10", "3.11", "3.12", "3.13", "3.14"])
def test_a_plain_application_exports(version: str, volume: Path, variables: dict[str, str], tmp_path: Path) -> None:
    """With the variables that the Operator sets and no change of its own, spans and metrics of its calls arrive.

    The model server, which is one of its own, is given the context of the call.
    """
    interpreter = application(tmp_path / "environment", version)
    server, receiver = ModelServer(), OtlpReceiver()
    try:
        server.reply(Json(completion("Hello")))
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{volume / FIRST}:{volume}",
            "OPENAI_BASE_URL": f"{server.url}/v1",
            "OPENAI_API_KEY": "not-a-key",
            **variables,
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.http_url,
        }
        done = subprocess.run(
            [interpreter, "-c", PROGRAM],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (0, "Hello\n", "") == (done.returncode, done.stdout, done.stderr)
        (span,) = receiver.wait_for(lambda it: it.spans)
        resource = span["resource"]
        assert ("chat gpt-4o", "shop", "shops") == (
            span["name"],
            resource["service.name"],
            resource["k8s.namespace.name"],
        )
        assert span["trace_id"] == server.requests[0].headers["traceparent"].split("-")[1]
        metrics = {one["name"] for one in receiver.metrics if one["name"] in emitted.series()}
        assert {"gen_ai.client.operation.duration", "gen_ai.client.token.usage", "llm.request.count"} <= metrics
    finally:
        server.close()
        receiver.close()


def test_every_file_can_be_read_by_every_user(image: Path) -> None:
    """The init container copies as the user of the pod."""
    for folder in ("autoinstrumentation", "autoinstrumentation-musl"):
        paths = list((image / folder).rglob("*"))
        assert paths
        assert [] == [path for path in paths if path.stat().st_mode & 0o777 != (0o755 if path.is_dir() else 0o644)]


def test_compiled_modules_are_of_their_c_library(image: Path) -> None:
    """No module in the folder for musl needs glibc, and the other way round; each Python has its own of wrapt."""
    for folder, strange in (("autoinstrumentation", b"libc.musl-"), ("autoinstrumentation-musl", b"libc.so.6\0")):
        modules = list((image / folder).rglob("*.so"))
        assert [] == [module for module in modules if strange in module.read_bytes()]
        versions = {part for module in modules for part in re.findall(r"_wrappers\.cpython-(\d+)-", module.name)}
        assert {"310", "311", "312", "313", "314"} == versions


def test_what_is_injected_is_what_is_locked(image: Path) -> None:
    """The distributions in the image are those of the lock and the package, and the docs name each of them."""
    locked = {re.sub(r"[-_.]+", "-", name) for name in re.findall(r"^([\w.-]+)==", LOCK.read_text(), re.MULTILINE)}
    page = (ROOT / "docs/kubernetes.md").read_text()
    for folder in ("autoinstrumentation", "autoinstrumentation-musl"):
        found = {path.name.partition("-")[0].replace("_", "-").lower() for path in (image / folder).glob("*.dist-info")}
        assert locked | {"opentelemetry-instrumentation-genai"} == found
    assert [] == [name for name in sorted(locked) if f"`{name}`" not in page]


def test_one_folder_cannot_hold_two_versions(tmp_path: Path) -> None:
    """A file that differs from Python to Python is an error that names it, not the file of one of them."""
    for version, text in (("3.10", "1"), ("3.11", "2")):
        (tmp_path / version).mkdir()
        (tmp_path / version / "module.py").write_text(text)
    program = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(DOCKERFILE.parent)!r})
from install import merge
merge(Path("3.10"), Path("out"))
merge(Path("3.11"), Path("out"))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (1, True) == (done.returncode, done.stderr.startswith("module.py is not the same for all of"))


def bad_images(text: str) -> list[str]:
    """The base images of a Dockerfile that have no exact version."""
    bases = [value.split()[0] for instruction, value in instructions(text) if instruction == "FROM"]
    return [base for base in bases if not re.fullmatch(r"[\w./-]+:\d+\.\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?", base)]


def test_base_images_have_a_version() -> None:
    """No base is `latest`, nor a version that moves; such a base is found."""
    assert [] == bad_images(DOCKERFILE.read_text())
    assert ["python:3.12", "busybox", "busybox:latest"] == bad_images(
        "FROM python:3.12\nFROM busybox\nFROM busybox:latest\n"
    )


def lint(text: str) -> list[str]:
    """The rules that hadolint sees broken."""
    program = str(Path(sys.executable).with_name("hadolint"))
    done = subprocess.run(
        [program, "--format", "json", "-"], input=text, capture_output=True, text=True, timeout=60, check=False
    )
    return [finding["code"] for finding in json.loads(done.stdout)]


def test_the_dockerfile_is_clean() -> None:
    """The linter finds nothing in it, and finds what is planted."""
    text = DOCKERFILE.read_text()
    assert [] == lint(text)
    assert ["DL3013"] == lint(text.replace("--require-hashes --requirement locks/operator-build.txt", "uv"))


def test_the_builder_gets_what_is_copied_and_no_more() -> None:
    """Each source of a COPY is let through by the ignore file, which lets nothing else through that git does not have."""
    first, *patterns = [
        line
        for line in Path(f"{DOCKERFILE}.dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    let = {pattern[1:] for pattern in patterns if pattern.startswith("!")}
    copied = {
        source
        for instruction, value in instructions(DOCKERFILE.read_text())
        if instruction == "COPY" and not value.startswith("--from=")
        for source in shlex.split(value)[:-1]
    }
    assert ("*", copied) == (first, let)
    assert [] == [path for path in copied if not (ROOT / path).exists()]
