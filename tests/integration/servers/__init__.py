"""Real model servers for the integration suite: how each is installed, started on loopback, and stopped.

`SERVERS` names them. A server is *installed* into a folder of its own below `place()`, only when a contributor asks for it
(`make servers SERVERS="llama litellm"`), and *runs* as a child process of the tests, on a free port of 127.0.0.1.
"""

from servers.base import Server, place
from servers.litellm import LiteLLM
from servers.llama import Llama
from servers.ollambda import Ollambda
from servers.running import Running
from servers.transformers import Transformers
from servers.vllm import VLLM

SERVERS: dict[str, Server] = {
    server.name: server for server in (Llama(), LiteLLM(), VLLM(), Transformers(), Ollambda())
}

__all__ = ["SERVERS", "VLLM", "LiteLLM", "Llama", "Ollambda", "Running", "Server", "Transformers", "place"]
