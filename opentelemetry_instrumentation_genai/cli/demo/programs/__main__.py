"""Run programs of the demonstration, by the names of their modules."""

from __future__ import annotations

import sys
from importlib import import_module

for _name in sys.argv[1:]:
    import_module(f".{_name}", __package__).main()
