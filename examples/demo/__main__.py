"""See what the instrumentation sees: `python examples/demo`, or `python -m examples.demo`.

Starts a model server and an OTLP receiver on this machine, runs the application beside this file under
`opentelemetry-instrument`, and shows what was received. Nothing leaves the machine, and no key is needed.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    # Started as a directory, this is no package yet, and its modules could not import each other.
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

    from demo.demonstration import main

    sys.exit(main())
