"""What is published: what is in it, what it says about itself, and what installing it gives.

Builds the distributions and makes environments from the package index, so it has a tox environment of its own.
``LOCK`` says which file of `locks` has the versions that these environments get; without it they get the newest.
"""

import email
import json
import os
import re
import shlex
import subprocess
import sys
import tarfile
import venv
import zipfile
from configparser import ConfigParser
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PACKAGE = "opentelemetry_instrumentation_genai"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

LOCK = os.environ.get("LOCK")

# What a user types today, without bounds, beside an SDK.
TYPICAL = ["opentelemetry-sdk", "opentelemetry-distro", "opentelemetry-exporter-otlp"]

# The instrumentors, and for each SDK the method of a client that all its calls go through.
ENTRY_POINTS = {
    "genai": f"{PACKAGE}._patching.instrumentor:GenAISettings",
    "genai_anthropic": f"{PACKAGE}.anthropic:AnthropicInstrumentor",
    "genai_bedrock": f"{PACKAGE}.sdks.bedrock:BedrockInstrumentor",
    "genai_cerebras": f"{PACKAGE}.sdks.cerebras:CerebrasInstrumentor",
    "genai_claude_agent": f"{PACKAGE}.frameworks.claude_agent:ClaudeAgentInstrumentor",
    "genai_fireworks": f"{PACKAGE}.sdks.fireworks:FireworksInstrumentor",
    "genai_google_genai": f"{PACKAGE}.sdks.google_genai:GoogleGenAIInstrumentor",
    "genai_groq": f"{PACKAGE}.sdks.groq:GroqInstrumentor",
    "genai_letta": f"{PACKAGE}.sdks.letta:LettaInstrumentor",
    "genai_llama_api": f"{PACKAGE}.sdks.llama_api:LlamaApiInstrumentor",
    "genai_llama_stack": f"{PACKAGE}.sdks.llama_stack:LlamaStackInstrumentor",
    "genai_mcp": f"{PACKAGE}.frameworks.mcp:McpInstrumentor",
    "genai_ollama": f"{PACKAGE}.ollama:OllamaInstrumentor",
    "genai_openai": f"{PACKAGE}.openai:OpenAIInstrumentor",
    "genai_openai_agents": f"{PACKAGE}.frameworks.openai_agents:OpenAIAgentsInstrumentor",
    "genai_perplexity": f"{PACKAGE}.sdks.perplexity:PerplexityInstrumentor",
    "genai_portkey": f"{PACKAGE}.sdks.portkey:PortkeyInstrumentor",
    "genai_sambanova": f"{PACKAGE}.sdks.sambanova:SambaNovaInstrumentor",
    "genai_together": f"{PACKAGE}.sdks.together:TogetherInstrumentor",
    "genai_writer": f"{PACKAGE}.sdks.writer:WriterInstrumentor",
}
# What is called before and after they are loaded.
AROUND = {
    "pre": f"{PACKAGE}._patching.start_up:remember_checks",
    "post": f"{PACKAGE}._patching.start_up:forget_checks",
}
INSTRUMENTORS = sorted(value.partition(":")[2] for name, value in ENTRY_POINTS.items() if name != "genai")
FUNNELS = {
    "anthropic": ("anthropic._base_client", "SyncAPIClient", "request"),
    "ollama": ("ollama._client", "Client", "_request"),
    "openai": ("openai._base_client", "SyncAPIClient", "request"),
}

# None of these may be loaded by importing the package, or by an instrumentor that waits for its SDK.
HEAVY = {
    "genai_prices",
    "openai",
    "anthropic",
    "ollama",
    "agents",
    "claude_agent_sdk",
    "httpx",
    "httpx2",
    "pydantic",
    "opentelemetry.sdk",
}

LOAD_EVERYTHING = f"""
import json, sys
from importlib.metadata import entry_points
import {PACKAGE}
imported = list(sys.modules)
instrumentors = [ep.load() for ep in entry_points(group="opentelemetry_instrumentor") if ep.name.startswith("genai_")]
for instrumentor in instrumentors:
    instrumentor().instrument(skip_dep_check=True)
print(json.dumps({{
    "file": {PACKAGE}.__file__,
    "imported": imported,
    "instrumented": list(sys.modules),
    "instrumentors": [instrumentor.__name__ for instrumentor in instrumentors],
}}))
"""

# What becomes of the SDKs that are there, whichever are not.
PATCH_EVERYTHING = f"""
import json, logging
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from logging.handlers import BufferingHandler
import wrapt
logged = BufferingHandler(1000)
logging.basicConfig(handlers=[logged], level=logging.INFO)
for ep in entry_points(group="opentelemetry_instrumentor"):
    if ep.name.startswith("genai_"):
        ep.load()().instrument(skip_dep_check=True)

def patched(module, client, method):
    return isinstance(vars(getattr(import_module(module), client))[method], wrapt.FunctionWrapper)

found = {{sdk: patched(*funnel) for sdk, funnel in {FUNNELS}.items() if find_spec(sdk)}}
print(json.dumps({{"patched": found, "logged": [record.getMessage() for record in logged.buffer]}}))
"""

# What `opentelemetry-instrument` asks before it loads an entry point of ours.
CONFLICT = f"""
from importlib.metadata import distribution
from opentelemetry.instrumentation.dependencies import get_dist_dependency_conflicts
print(get_dist_dependency_conflicts(distribution("{PACKAGE}")))
"""


def run(*command, cwd, **variables):
    """Run a command outside the checkout and return what it printed; on failure, show all its output."""
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")} | variables
    done = subprocess.run(command, cwd=cwd, env=env, text=True, capture_output=True, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The folder with the sdist, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    # The backend is that of this environment, which has it from the lock.
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT), cwd=folder)
    return folder


@pytest.fixture(scope="session")
def wheel(built):
    """The path of the wheel."""
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def wheel_names(wheel):
    """The names of the files in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.fixture(scope="session")
def sdist_names(built):
    """The names of the files in the sdist, below its one folder."""
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        return [name.partition("/")[2] for name in archive.getnames()]


@pytest.fixture(scope="session")
def metadata(wheel, wheel_names):
    """The wheel's METADATA."""
    (name,) = (name for name in wheel_names if name.endswith(".dist-info/METADATA"))
    with zipfile.ZipFile(wheel) as archive:
        return email.message_from_bytes(archive.read(name))


# The extras of the SDKs, and the distributions that they install.
SDKS = {
    "anthropic": "anthropic",
    "bedrock": "boto3",
    "cerebras": "cerebras-cloud-sdk",
    "claude-agent": "claude-agent-sdk",
    "fireworks": "fireworks-ai",
    "google-genai": "google-genai",
    "groq": "groq",
    "letta": "letta-client",
    "llama-api": "llama-api-client",
    "llama-stack": "llama-stack-client",
    "mcp": "mcp",
    "ollama": "ollama",
    "openai": "openai",
    "openai-agents": "openai-agents",
    "perplexity": "perplexityai",
    "portkey": "portkey-ai",
    "sambanova": "sambanova",
    "together": "together",
    "writer": "writer-sdk",
}


class TestWheel:
    """The wheel that is published."""

    def test_holds_the_package_and_nothing_else(self, wheel_names):
        """No tests, no examples, and no file in a namespace that is not ours."""
        assert {PACKAGE} == {top for name in wheel_names if not (top := name.partition("/")[0]).endswith(".dist-info")}

    def test_holds_every_module(self, wheel_names):
        """Every file of the package in the checkout is in the wheel."""
        in_checkout = {
            path.relative_to(ROOT).as_posix()
            for path in (ROOT / PACKAGE).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }

        assert set() == in_checkout - set(wheel_names)

    def test_is_typed(self, wheel_names):
        """The marker is there that makes type checkers read the annotations."""
        assert f"{PACKAGE}/py.typed" in wheel_names

    def test_has_its_licence(self, metadata, wheel_names):
        """The licence is named as SPDX does, and its text comes along."""
        assert "Apache-2.0" == metadata["License-Expression"]
        assert any(name.endswith(".dist-info/licenses/LICENSE") for name in wheel_names)

    def test_is_for_every_supported_python(self, metadata, wheel):
        """It runs from 3.10 on, and is pure."""
        assert ">=3.10" == metadata["Requires-Python"]
        assert wheel.name.endswith("-py3-none-any.whl")

    def test_entry_points(self, wheel, wheel_names):
        """`opentelemetry-instrument` finds each instrumentor under a name that is ours alone."""
        (name,) = (name for name in wheel_names if name.endswith(".dist-info/entry_points.txt"))
        parser = ConfigParser()
        with zipfile.ZipFile(wheel) as archive:
            parser.read_string(archive.read(name).decode())

        around = {f"opentelemetry_{when}_instrument": {"genai": name} for when, name in AROUND.items()}
        assert {
            "console_scripts": {"opentelemetry-genai": f"{PACKAGE}.cli:main"},
            "opentelemetry_instrumentor": ENTRY_POINTS,
            "opentelemetry_traces_exporter": {"genai_console": f"{PACKAGE}.cli.console.exporter:ConsoleExporter"},
            **around,
        } == {group: dict(parser[group]) for group in parser.sections()}

    def test_no_opentelemetry_that_does_not_start(self, metadata):
        """The floor excludes 0.48b0, which is what an unbounded requirement is satisfied with beside the newest SDK."""
        (found,) = (req for req in requirements(metadata, extra="") if req.name == "opentelemetry-instrumentation")

        assert not found.specifier.contains("0.48b0", prereleases=True)
        assert found.specifier.contains("0.57b0", prereleases=True)

    def test_requires_no_sdk(self, metadata):
        """Without extras it brings the API, the instrumentation base, packaging and wrapt."""
        assert {"opentelemetry-api", "opentelemetry-instrumentation", "packaging", "wrapt"} == {
            req.name for req in requirements(metadata, extra="")
        }

    def test_extras(self, metadata):
        """There is one for each SDK, those of prices, of uploads and of the command, and the one that `opentelemetry-instrument` reads."""
        assert sorted(["cli", "instruments-any", "prices", "upload", *SDKS]) == sorted(
            metadata.get_all("Provides-Extra")
        )

    @pytest.mark.parametrize(
        ("extra", "name"),
        [*SDKS.items(), ("prices", "genai-prices")],
    )
    def test_extra_bounds_what_it_installs(self, metadata, extra, name):
        """An extra installs its SDK, or the prices, from the oldest supported version up to the next major."""
        (req,) = requirements(metadata, extra=extra)

        assert name == req.name
        assert {">=", "<"} == {specifier.operator for specifier in req.specifier}

    def test_extra_bounds_what_uploads(self, metadata):
        """The extra `upload` installs no release that the tests have not seen: its hooks change with each."""
        (req,) = requirements(metadata, extra="upload")

        assert ("opentelemetry-util-genai", {"upload"}) == (req.name, req.extras)
        assert [False, True, True, False] == [
            req.specifier.contains(version, prereleases=True) for version in ("0.2b0", "0.3b0", "1.3b0", "1.4b0")
        ]

    def test_instruments_any(self, metadata):
        """The extra that `opentelemetry-instrument` reads names every SDK, of any version, and is spelt as it looks."""
        found = requirements(metadata, extra="instruments-any")

        assert sorted(SDKS.values()) == sorted(req.name for req in found)
        assert {""} == {str(req.specifier) for req in found}
        # It is looked for as a text before it is parsed.
        assert all("instruments-any" in str(req) for req in found)

    def test_demands_no_sdk(self, metadata):
        """There is no extra `instruments`: with it, a single missing SDK would disable all instrumentors."""
        assert "instruments" not in metadata.get_all("Provides-Extra")


class TestSdist:
    """The source distribution."""

    def test_can_be_tested(self, sdist_names):
        """The tests and their configuration come along."""
        needed = {"LICENSE", "README.md", "pyproject.toml", "tox.ini", "tests/packaging/test_packaging.py"}

        assert needed | {"benchmarks/others/observe.py", "examples/README.md", "examples/zero_code/run.sh"} <= set(
            sdist_names
        )

    def test_holds_no_leftovers(self, sdist_names):
        """No cache, environment or report that lay in the checkout."""
        leftovers = {".tox", ".venv", "reports", "dist", "__pycache__", ".coverage"}

        assert [] == [name for name in sdist_names if leftovers & set(Path(name).parts)]


class TestUpload:
    """What is looked at before an upload: by the tools that the index and its users have."""

    def test_metadata(self, built):
        """`twine check` finds nothing in wheel and sdist, warnings among it: the index shows the README as its page."""
        paths = sorted(map(str, built.iterdir()))

        assert 2 == len(paths)
        printed = run(
            sys.executable, "-m", "twine", "--no-color", "check", "--strict", *paths, cwd=built, COLUMNS="500"
        )
        assert [f"Checking {path}: PASSED" for path in paths] == printed.splitlines()

    def test_contents(self, wheel):
        """`check-wheel-contents` finds nothing: no duplicate, no bytecode, no file beside the package."""
        printed = run(sys.executable, "-m", "check_wheel_contents", str(wheel), cwd=wheel.parent)

        assert f"{wheel}: OK" == printed.strip()

    def test_faults_are_found(self, tmp_path, wheel):
        """A description that no index can show, and a file in a namespace that is not ours, are."""
        planted = tmp_path / wheel.name
        with zipfile.ZipFile(wheel) as archive, zipfile.ZipFile(planted, "w") as faulty:
            for name in archive.namelist():
                content = archive.read(name)
                if name.endswith("METADATA"):
                    content = content.replace(
                        b"Description-Content-Type: text/markdown", b"Description-Content-Type: text/x-rst"
                    )
                if name.endswith("RECORD"):
                    content += b"tests/__init__.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n"
                faulty.writestr(name, content)
            faulty.writestr("tests/__init__.py", "")

        with pytest.raises(AssertionError, match="FAILED"):
            run(sys.executable, "-m", "twine", "--no-color", "check", "--strict", str(planted), cwd=tmp_path)
        with pytest.raises(AssertionError, match="W005"):
            run(sys.executable, "-m", "check_wheel_contents", str(planted), cwd=tmp_path)


class TestBuild:
    """Whoever builds gets the same bytes."""

    def test_is_reproducible(self, tmp_path, built):
        """Another folder, other times and modes of its files, another umask, time zone and order of hashes change nothing."""
        (sdist,) = built.glob("*.tar.gz")
        with tarfile.open(sdist) as archive:
            archive.extractall(tmp_path, filter="data")
        (copy,) = tmp_path.iterdir()
        for path in (copy, *copy.rglob("*")):
            path.chmod(path.stat().st_mode & 0o700)
            os.utime(path, (1_000_000_000, 1_000_000_000))
        here = {"TZ": "UTC", "PYTHONHASHSEED": "1", "LC_ALL": "C"}
        there = {"TZ": "Asia/Kolkata", "PYTHONHASHSEED": "2", "LC_ALL": "C.UTF-8"}

        first = self.bytes_of(ROOT, tmp_path / "first", umask=0o022, SOURCE_DATE_EPOCH="1700000000", **here)
        second = self.bytes_of(copy, tmp_path / "second", umask=0o077, SOURCE_DATE_EPOCH="1700000000", **there)

        assert sorted(path.name for path in built.iterdir()) == sorted(first)
        assert [] == [name for name in first.keys() | second.keys() if first.get(name) != second.get(name)]

    def test_that_a_difference_is_found(self, tmp_path, built):
        """Another time of the release is in both."""
        other = self.bytes_of(ROOT, tmp_path / "other", umask=0o022, SOURCE_DATE_EPOCH="1700000000")

        assert {path.name for path in built.iterdir()} == other.keys()
        assert [] == [path.name for path in built.iterdir() if path.read_bytes() == other[path.name]]

    @staticmethod
    def bytes_of(source, folder, *, umask, **variables):
        """Build both distributions, and return their bytes by their names."""
        before = os.umask(umask)
        try:
            run(
                *(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(source)),
                cwd=source,
                **variables,
            )
        finally:
            os.umask(before)
        return {path.name: path.read_bytes() for path in folder.iterdir()}


class TestInstalled:
    """Fresh environments, as users make them."""

    @pytest.mark.parametrize("sdk", FUNNELS)
    @pytest.mark.parametrize("installer", ["pip", "uv"])
    def test_beside_unbounded_opentelemetry(self, tmp_path, wheel, installer, sdk):
        """The newest OpenTelemetry is resolved, not one so old that it does not start; the one SDK is patched, the others not missed."""
        python = make_environment(tmp_path, installer, str(wheel), *TYPICAL, sdk)
        versions = installed_versions(python, cwd=tmp_path)

        assert versions["opentelemetry-instrumentation"] >= Version("0.57b0")
        assert versions["opentelemetry-sdk"] >= Version("1.36")
        run(sys.executable, "-m", "uv", "pip", "check", "--python", python, cwd=tmp_path)
        assert "None" == run(python, "-I", "-c", CONFLICT, cwd=tmp_path).strip()
        assert_light(python, cwd=tmp_path)
        assert_patched(python, [sdk], cwd=tmp_path)

    def test_alone(self, tmp_path, wheel):
        """Without any SDK the package imports, every instrumentor starts, and none of them is in the way."""
        python = make_environment(tmp_path, "uv", str(wheel))

        assert HEAVY.isdisjoint(installed_versions(python, cwd=tmp_path))
        assert "None" != run(python, "-I", "-c", CONFLICT, cwd=tmp_path).strip()
        assert_light(python, cwd=tmp_path)
        assert_patched(python, [], cwd=tmp_path)

    def test_with_extras(self, tmp_path, wheel):
        """The extras install together, each its SDK in a version that is supported, and so patched."""
        python = make_environment(tmp_path, "uv", f"{wheel}[openai,anthropic,ollama]")

        assert FUNNELS.keys() <= installed_versions(python, cwd=tmp_path).keys()
        assert_patched(python, FUNNELS, cwd=tmp_path)

    def test_with_uploads(self, tmp_path, wheel):
        """The extra `upload` brings what uploads, and it starts."""
        python = make_environment(tmp_path, "uv", f"{wheel}[upload]")

        assert {"opentelemetry-util-genai", "fsspec"} <= installed_versions(python, cwd=tmp_path).keys()
        assert_light(python, cwd=tmp_path)
        program = "import sys; from opentelemetry_instrumentation_genai._content.completion_hook.upload import upload; print(upload(sys.argv[1], 'json'))"
        assert "Upload object" in run(python, "-I", "-c", program, str(tmp_path), cwd=tmp_path)

    def test_by_the_lines_of_the_pages(self, tmp_path):
        """Each `pip install` of README and docs works before the first release: README's first, which takes the checkout."""
        lines = re.findall(r"^pip install (.*?)(?: +#.*)?$", "\n".join(map(Path.read_text, PAGES)), re.MULTILINE)
        python = make_environment(tmp_path, "pip", "pip")
        locked = constraints(tmp_path) if LOCK else {}
        for line in lines:
            # A file system of a cloud is the reader's choice, and not locked.
            words = [word for word in shlex.split(line) if word != "gcsfs"]
            run(python, "-I", "-m", "pip", "install", "--quiet", *words, cwd=ROOT, **locked)

        assert lines[0].startswith("'.[")
        assert {*FUNNELS, "genai-prices", "opentelemetry-util-genai"} <= installed_versions(python, cwd=tmp_path).keys()
        assert_patched(python, FUNNELS, cwd=tmp_path)


def requirements(metadata, extra):
    """The requirements that the metadata has for one extra, or for none, on a Python that all SDKs run on."""
    found = [Requirement(line) for line in metadata.get_all("Requires-Dist")]
    if not extra:
        return [req for req in found if req.marker is None]
    return [
        req
        for req in found
        if req.marker is not None and req.marker.evaluate({"extra": extra, "python_version": "3.12"})
    ]


def make_environment(folder, installer, *packages):
    """Make an environment with the packages, by pip as it comes with Python or by uv, and return its Python."""
    environment = folder / "environment"
    venv.create(environment, with_pip=installer == "pip", symlinks=os.name != "nt")
    python = str(environment / ("Scripts" if os.name == "nt" else "bin") / "python")
    locked = {} if LOCK is None else constraints(folder)
    if installer == "pip":
        run(python, "-I", "-m", "pip", "install", "--quiet", *packages, cwd=folder, **locked)
    else:
        run(
            sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python, *packages, cwd=folder, **locked
        )
    return python


def constraints(folder):
    """The variables that bind pip and uv to the versions of the lock.

    Without its hashes: where there are some, pip installs no wheel of ours, and the pip of Python 3.10 no name without a version.
    """
    path = folder / "constraints.txt"
    path.write_text(re.sub(r" \\\n +--hash=\S+", "", (ROOT / "locks" / f"{LOCK}.txt").read_text()))
    return {name: str(path) for name in ("PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT", "UV_CONSTRAINT")}


def installed_versions(python, cwd):
    """The distributions in an environment, and their versions."""
    listed = json.loads(run(sys.executable, "-m", "uv", "pip", "list", "--format=json", "--python", python, cwd=cwd))
    return {canonicalize_name(entry["name"]): Version(entry["version"]) for entry in listed}


def assert_light(python, cwd):
    """Importing the package, and instrumenting before any SDK is imported, load nothing heavy."""
    found = json.loads(run(python, "-I", "-c", LOAD_EVERYTHING, cwd=cwd))

    assert "site-packages" in Path(found["file"]).parts
    assert INSTRUMENTORS == sorted(found["instrumentors"])
    assert set() == HEAVY & set(found["imported"])
    assert set() == HEAVY & set(found["instrumented"])


def assert_patched(python, sdks, cwd):
    """Started together, the instrumentors patch the SDKs that are there, these, log one line for each, and say nothing of others."""
    found = json.loads(run(python, "-I", "-c", PATCH_EVERYTHING, cwd=cwd))

    assert dict.fromkeys(sdks, True) == found["patched"]
    assert [True] * len(found["logged"]) == [
        "; nothing is exported, since no tracer provider" in line for line in found["logged"]
    ]
    assert sorted(sdks) == sorted(line.split()[0] for line in found["logged"])
