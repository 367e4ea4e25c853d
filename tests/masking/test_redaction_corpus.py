"""How much of what the rules promise they find, and how much of what is harmless they leave: a share of the corpus, with floors.

`benchmarks/redaction.py` measures all of it.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product

import pytest

from corpus import KINDS, found, harmless, samples, spared
from opentelemetry_instrumentation_genai._content.redaction import redaction

pytestmark = [pytest.mark.exhaustive, pytest.mark.pure]


@pytest.mark.parametrize("kind", KINDS)
def test_secrets_of_every_kind_are_found(kind):
    """Of each kind at least 95 %, in all places that it can stand in, and the words around it stay."""
    text = redaction(["all"]).begin().text
    seen = [(sample, text(sample.text)) for sample in samples(kind, each=3)]

    assert len(seen) > 30
    missed = [(sample.context, sample.text) for sample, redacted in seen if not found(sample, redacted)]
    assert len(missed) <= 0.05 * len(seen), missed
    hurt = [(sample.context, redacted) for sample, redacted in seen if not spared(sample, redacted)]
    assert len(hurt) <= 0.05 * len(seen), hurt


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_found_by_its_own_rule(kind):
    """Whoever asks for one rule only gets what the documentation says of it."""
    text = redaction([KINDS[kind]]).begin().text
    seen = [(sample, text(sample.text)) for sample in samples(kind, seed=1)]

    missed = [(sample.context, sample.text) for sample, redacted in seen if not found(sample, redacted)]
    assert len(missed) <= 0.05 * len(seen) + 1, missed


@pytest.mark.parametrize("held_out", [False, True], ids=["development", "held out"])
def test_harmless_texts_stay(held_out):
    """At most 1 % of them are changed, as the documentation promises."""
    text = redaction(["all"]).begin().text
    texts = harmless(held_out=held_out)

    assert len(texts) == 250
    changed = [(each, text(each)) for each in texts if text(each) != each]
    assert len(changed) <= 0.01 * len(texts), changed


_DATES = (
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%d-%m-%Y",
    "%m/%d/%Y",
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d.%m.%y",
    "%d. %m. %Y",
    "%d %m %Y",
    "%Y%m%d",
    "%d.%m.",
)
_TIMES = ("", " 08:15", " 08:15:42", " 08:15:42,123", "T08:15:42Z", " 08.15 Uhr", " 8.15-9.45", ", 17 Uhr", " - {}")  # fmt: skip
_PLACES = ("{}", "am {} um", "{} INFO started", "| {} | 17 |", '"at": "{}"', "Tel. {}", "von {} bis 0815", "({})")


def test_no_date_and_no_time_is_a_telephone_number():
    """Dates of a year in the formats of many countries, with times and in logs: `02.03.2026` stays."""
    text = redaction(["all"]).begin().text
    days = [date(2026, 1, 1) + timedelta(days=14 * fortnight) for fortnight in range(27)]

    changed = []
    for day, (style, time, place) in product(days, product(_DATES, _TIMES, _PLACES)):
        written = place.format(f"{day.strftime(style)}{time}".replace("{}", day.strftime(style)))
        if text(written) != written:
            changed.append((written, text(written)))
    assert [] == changed
