"""A platform in miniature: it calls the function for each event, and ends the process without a word."""

from __future__ import annotations

import os

from function import answer

EVENTS = ({"question": "Where is the best pastry?"}, {"question": "When is closing time of the cellars?"})

if __name__ == "__main__":
    for event in EVENTS:
        print(answer(event, None)["answer"], flush=True)
    os._exit(0)
