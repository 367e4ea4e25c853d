"""What Prometheus answers to the queries of a panel."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

if TYPE_CHECKING:
    from .chosen import Chosen

Json = dict[str, Any]


class RefusedError(RuntimeError):
    """Prometheus refuses a query; the message has both."""


class Prometheus:
    """A Prometheus that is asked.

    Args:
        url: of its API.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def panel(self, panel: Json, chosen: Chosen) -> list[Json]:
        """Return the answer to each query of a panel: `series` with `labels` and `values`, and `exemplars`.

        Args:
            panel: as in Grafana's JSON model.
            chosen: what is chosen on the board.

        Raises:
            RefusedError: a query is none.
        """
        return [self._target(target, chosen) for target in panel.get("targets", ()) if "expr" in target]

    def ask(self, path: str, **parameters: object) -> Any:
        """Return the data of an answer of the API.

        Raises:
            RefusedError: there is none.
        """
        try:
            with urlopen(f"{self._url}/api/v1/{path}?{urlencode(parameters)}", timeout=60) as response:  # noqa: S310
                return json.load(response)["data"]
        except HTTPError as error:
            raise RefusedError(f"{json.load(error).get('error', error)}: {parameters}") from error

    def _target(self, target: Json, chosen: Chosen) -> Json:
        query = chosen.put_into(target["expr"])
        if target.get("instant"):
            found = self.ask("query", query=query, time=chosen.end)["result"]
            series = [{"labels": one["metric"], "values": [one["value"]]} for one in found]
        else:
            span = {"start": chosen.start, "end": chosen.end, "step": chosen.step}
            found = self.ask("query_range", query=query, **span)["result"]
            series = [{"labels": one["metric"], "values": one["values"]} for one in found]
        return {
            "refId": target["refId"],
            "query": query,
            "legend": chosen.put_into(target.get("legendFormat", "")),
            "series": series,
            "exemplars": self._exemplars(query, chosen) if target.get("exemplar") else [],
        }

    def _exemplars(self, query: str, chosen: Chosen) -> list[Json]:
        """Return the exemplars of the histograms in a query."""
        found = self.ask("query_exemplars", query=query, start=chosen.start, end=chosen.end)
        return [exemplar for series in found for exemplar in series["exemplars"]]
