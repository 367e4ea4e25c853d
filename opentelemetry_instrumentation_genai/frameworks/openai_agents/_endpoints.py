"""The operations of the SDK: a workflow and an agent are given the items of the Responses API."""

from __future__ import annotations

import dataclasses
from typing import Final

from ..._adapter.openai_api.responses import RESPONSES
from ..._operations.endpoints import AGENT, WORKFLOW

AGENT_OF_SDK: Final = dataclasses.replace(AGENT, input_content=RESPONSES.input_content)
WORKFLOW_OF_SDK: Final = dataclasses.replace(WORKFLOW, input_content=RESPONSES.input_content)
