"""`python -m servers NAME...` installs servers; without a name it says which there are, and what each takes."""

from __future__ import annotations

import sys

from servers import SERVERS, place


def main(names: list[str]) -> int:
    """The exit code: 1 if one of them could not be installed, 2 if there is none of that name."""
    unknown = sorted(set(names) - SERVERS.keys())
    if unknown:
        print(f"There is no server {', '.join(unknown)}. There are: {' '.join(SERVERS)}.", file=sys.stderr)
        return 2
    if not names:
        print(f"In {place()} (GENAI_SERVERS is another place):")
        for server in SERVERS.values():
            print(f"  {server.name:<14}{'there' if server.installed() else f'not there; takes {server.takes}'}")
    return max([_install(name) for name in names], default=0)


def _install(name: str) -> int:
    server = SERVERS[name]
    if server.installed():
        print(f"{name}: there already", flush=True)
        return 0
    print(f"{name}: installing, takes {server.takes}", flush=True)
    try:
        server.install()
    except OSError as error:
        print(f"{name}: not installed. {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
