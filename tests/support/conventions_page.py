"""The tables of `docs/conventions.md`, made from the names and the generations in the code, and the types in the registries."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from conformance import NEWER
from opentelemetry_instrumentation_genai._conventions import names as _attributes, operation_kinds
from opentelemetry_instrumentation_genai._conventions.generations import LATEST, V1_41, Measures
from opentelemetry_instrumentation_genai._conventions.names import OWN, TOKEN_MODALITY, TOKEN_TYPE
from opentelemetry_instrumentation_genai._conventions.operation_kinds import INFERENCE, OperationKind
from semconv import registry

_COLUMNS = ("v1.41 (default)", "latest")
_TABLE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_TIMES = (
    ("duration", "how long the call took"),
    ("first_chunk", "how long the first chunk of a stream took"),
    ("per_chunk", "how long each chunk after the first took"),
)


def with_tables(page: str) -> str:
    """The page with each of its tables as the code has it now."""
    return _TABLE.sub(lambda found: f"{found[1]}{_TABLES[found[2]]()}{found[3]}", page)


def _metrics() -> str:
    """Operation by operation: what is measured, and where it goes."""
    kinds = [kind for kind in vars(operation_kinds).values() if isinstance(kind, OperationKind)]
    inference, fetched = (
        ", ".join(f"`{name}`" for name in names)
        for names in (INFERENCE, [kind.name for kind in kinds if kind.metrics == "fetched"])
    )
    others = "all others"
    rows = [
        (operations, text, "histogram, s", *(_listed(getattr(measures, field)) for measures in pair))
        for operations, pair in (
            (inference, (V1_41.inference, LATEST.inference)),
            (fetched, (V1_41.fetched, LATEST.fetched)),
            (others, (V1_41.others, LATEST.others)),
        )
        for field, text in _TIMES
    ]
    rows += [
        row
        for kind, operations in (("inference", inference), ("fetched", fetched), ("others", others))
        for row in _token_rows(kind, operations)
    ]
    return _table(("operations", "what", "instrument", *_COLUMNS), rows)


def _token_rows(kind: str, operations: str) -> Iterator[Sequence[str]]:
    """Tokens by the attribute that says how many there were."""
    pair: tuple[Measures, Measures] = (getattr(V1_41, kind), getattr(LATEST, kind))
    for attribute in dict.fromkeys(tokens.attribute for measures in pair for tokens in measures.tokens):
        cells = [
            _listed(_with(row.metric, row.token_type) for row in measures.tokens if row.attribute == attribute)
            for measures in pair
        ]
        yield (operations, f"`{attribute}`", "histogram, {token}", *cells)
    for attribute in dict.fromkeys(usage.attribute for measures in pair for usage in measures.usage):
        cells = [
            _listed(
                f"`{usage.metric}`, by `{TOKEN_MODALITY}`" for usage in measures.usage if usage.attribute == attribute
            )
            for measures in pair
        ]
        yield (operations, f"`{attribute}`", "counter, {token}", *cells)


def _with(metric: str, token_type: str | None) -> str:
    return f"`{metric}`, `{TOKEN_TYPE}` = `{token_type}`" if token_type else f"`{metric}`"


def _listed(names: object) -> str:
    return ", ".join(name if "`" in name else f"`{name}`" for name in names) or "none"  # type: ignore[attr-defined]


def _attributes_of_signals() -> str:
    """Attribute by attribute, of whichever signal."""
    old, new = registry("v1.41").attributes, registry("latest").attributes
    rows = []
    constants = {value for key, value in vars(_attributes).items() if key.isupper() and isinstance(value, str)}
    for name in sorted(constants.union(OWN)):
        if name in OWN:
            kind, unit, reason = OWN[name]
            rows.append((f"`{name}`", f"{kind}, {unit}" if unit else kind, "yes", "yes", f"ours: {reason}"))
        elif name in old or name in new:
            kind = (new.get(name) or old[name])["type"]
            of_default = "yes" if name in old or name in NEWER else "no"
            of_latest = "no" if name in LATEST.missing or name not in new else "yes"
            known = "" if name in old and name in new else "until v1.41" if name in old else "newer than v1.41"
            rows.append((f"`{name}`", kind if isinstance(kind, str) else "enum", of_default, of_latest, known))
    return _table(("attribute", "type", *_COLUMNS, "of the conventions"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ["---"] * len(head), *rows))


_TABLES = {"metrics": _metrics, "attributes": _attributes_of_signals}
