"""Places in which people and programs write a secret: each writes a name and a value as its format asks for.

A place that cannot hold a character without a change escapes it, so that what has to be found is what stands there.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple
from xml.sax.saxutils import escape


class Context(NamedTuple):
    """A place.

    Attributes:
        name: what it is.
        write: name and escaped value -> the text.
        escaped: value -> the same as it is written there.
        forbidden: characters that the value cannot have there.
        kept: words of the text that are no secret.
    """

    name: str
    write: Callable[[str, str], str]
    escaped: Callable[[str], str] = str
    forbidden: str = ""
    kept: tuple[str, ...] = ()


def _json(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)[1:-1]


def _twice(value: str) -> str:
    return _json(_json(value))


def _ascii(value: str) -> str:
    """In JSON with escapes for what is no letter or digit of ASCII, as some serializers write it."""
    return "".join(
        character if character.isalnum() and character.isascii() else f"\\u{ord(character):04x}" for character in value
    )


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")


def _doubled(value: str) -> str:
    return value.replace("'", "''")


def _upper(name: str) -> str:
    return name.replace("-", "_").replace(" ", "_").replace(".", "_").upper()


# For what is found by what it looks like: the name says nothing.
PLAIN = (
    Context("prose", lambda _n, v: f"Please use {v} for the demo tomorrow.", kept=("Please use ", " for the demo tomorrow.")),
    Context("end of a sentence", lambda _n, v: f"The one for the demo is {v}.", kept=("The one for the demo is ",)),
    Context("parentheses", lambda _n, v: f"the old one ({v}) was revoked", forbidden=")", kept=("the old one (", ") was revoked")),
    Context("JSON", lambda _n, v: f'{{"id": 7, "note": "{v}", "ok": true}}', _json, kept=('{"id": 7, "note": "', '", "ok": true}')),
    Context("half JSON", lambda _n, v: f'{{"id": 7, "items": [{{"note": "{v}", "ok": tr', _json, kept=('"note": "', '", "ok": tr')),
    Context("JSON in JSON", lambda _n, v: f'{{"body": "{{\\"note\\": \\"{v}\\", \\"ok\\": 1}}"}}', _twice, kept=('\\"note\\": \\"', '\\"ok\\": 1')),
    Context("half JSON with escapes", lambda _n, v: f'{{"note": "{v}", "ok": tr', _ascii, kept=('"ok": tr',)),
    Context("after a line end in JSON", lambda _n, v: f'{{"text": "see below:\\n{v}\\nthank you"}}', _json, kept=("see below:", "thank you")),
    Context("env file", lambda _n, v: f"STAGE=dev\nVALUE={v}\nREGION=eu\n", forbidden="\n \"'#", kept=("STAGE=dev\nVALUE=", "\nREGION=eu")),
    Context("YAML", lambda _n, v: f"stage: dev\nvalue: {v}\nregion: eu\n", forbidden="\n#", kept=("stage: dev\nvalue: ", "\nregion: eu")),
    Context("log line", lambda _n, v: f"2026-03-02 08:15:42,123 INFO [worker-3] app.sync - got {v} in 12 ms", kept=("2026-03-02 08:15:42,123 INFO [worker-3] app.sync - got ", " in 12 ms")),
    Context("code", lambda _n, v: f'client = Client("{v}", timeout=30)  # staging', _json, kept=('client = Client("', '", timeout=30)')),
    Context("code with single quotes", lambda _n, v: f"connect('{v}', retries=3);", _quoted, kept=("connect('", "', retries=3);")),
    Context("table", lambda _n, v: f"| stage | value |\n|---|---|\n| dev | {v} |\n| eu | none |", forbidden="|\n", kept=("| stage | value |", "| eu | none |")),
    Context("Markdown", lambda _n, v: f"- stage: **dev**\n- value: `{v}`\n- region: *eu*", forbidden="`", kept=("- value: `", "`\n- region: *eu*")),
    Context("XML", lambda _n, v: f"<item><stage>dev</stage><value>{v}</value></item>", escape, kept=("<stage>dev</stage><value>", "</value></item>")),
    Context("CSV", lambda _n, v: f"7,dev,{v},eu\n8,test,none,eu", forbidden=',\n "', kept=("7,dev,", "8,test,none,eu")),
    Context("a list in YAML", lambda _n, v: f"values:\n  - {v}\n  - none\n", forbidden="\n#", kept=("values:\n  - ", "\n  - none")),
    Context("command line", lambda _n, v: f"$ deploy --stage dev '{v}' && echo done", forbidden="'\n", kept=("$ deploy --stage dev '", "' && echo done")),
    Context("angle brackets", lambda _n, v: f"see <{v}> in the wiki", forbidden="<>", kept=("see <", "> in the wiki")),
    Context("quotation marks", lambda _n, v: f"He wrote “{v}” and left.", kept=("He wrote “", "” and left.")),
    Context("Python's repr", lambda _n, v: f"{{'id': 7, 'note': {v!r}, 'ok': True}}", kept=("{'id': 7, 'note': ", ", 'ok': True}")),
)  # fmt: skip

# For values that only their name identifies.
NAMED = (
    Context("JSON", lambda n, v: f'{{"user": "joe", "{n}": "{v}", "ok": true}}', _json, kept=('"user": "joe"', '"ok": true}')),
    Context("half JSON", lambda n, v: f'{{"user": "joe", "{n}": "{v}", "ok": tr', _json, kept=('"user": "joe"', '"ok": tr')),
    Context("JSON in JSON", lambda n, v: f'{{"body": "{{\\"{n}\\": \\"{v}\\", \\"ok\\": 1}}"}}', _twice, kept=('\\"ok\\": 1',)),
    Context("half JSON with escapes", lambda n, v: f'{{"user": "joe", "{n}": "{v}", "ok": tr', _ascii, kept=('"user": "joe"', '"ok": tr')),
    Context("env file", lambda n, v: f"STAGE=dev\n{_upper(n)}={v}\nREGION=eu\n", forbidden="\n \"'`\\", kept=("STAGE=dev", "REGION=eu")),
    Context("exported", lambda n, v: f'export STAGE=dev\nexport {_upper(n)}="{v}"\nexport REGION=eu', forbidden='"\\`\n', kept=("export STAGE=dev", "export REGION=eu")),
    Context("YAML", lambda n, v: f"stage: dev\n{n}: {v}\nregion: eu\n", forbidden="\n \"'`\\#", kept=("stage: dev", "region: eu")),
    Context("aligned YAML", lambda n, v: f"stage:                     dev\n{n + ':':<27}{v}\nregion:                    eu\n", forbidden="\n \"'`\\#", kept=("dev\n", "region:                    eu")),
    Context("YAML with single quotes", lambda n, v: f"app:\n  stage: 'dev'\n  {n}: '{v}'\n  region: 'eu'\n", _doubled, "\n", kept=("stage: 'dev'", "region: 'eu'")),
    Context("YAML with double quotes", lambda n, v: f'app:\n  stage: "dev"\n  {n}: "{v}"\n  region: "eu"\n', _json, kept=('stage: "dev"', 'region: "eu"')),
    Context("INI", lambda n, v: f"[app]\nstage = dev\n{n} = {v}\nregion = eu\n", forbidden="\n \"'`\\", kept=("stage = dev", "region = eu")),
    Context("connection string", lambda n, v: f"Server=db1;Database=shop;User Id=joe;{n}={v};Encrypt=yes", forbidden="; \"'\\\n", kept=("Server=db1;Database=shop;User Id=joe;", ";Encrypt=yes")),
    Context("command line", lambda n, v: f"$ deploy --stage dev --{n.replace('_', '-').lower()} '{v}' --region eu", forbidden="'\n", kept=("$ deploy --stage dev --", "--region eu")),
    Context("command line with =", lambda n, v: f"$ deploy --stage dev --{n.replace('_', '-').lower()}={v} --region eu", forbidden="'\"\n \\`", kept=("$ deploy --stage dev --", "--region eu")),
    Context("Markdown code", lambda n, v: f"- Stage: `dev`\n- {n}: `{v}`\n- Region: `eu`", forbidden="`\n", kept=("- Stage: `dev`", "- Region: `eu`")),
    Context("Markdown bold", lambda n, v: f"- **Stage:** dev\n- **{n}:** {v}\n- **Region:** eu", forbidden=" \n\"'`\\*", kept=("- **Stage:** dev", "- **Region:** eu")),
    Context("Markdown all bold", lambda n, v: f"The {n} is: **{v}** for the stage dev.", forbidden=" \n\"'`\\*", kept=("The ", "for the stage dev.")),
    Context("table", lambda n, v: f"| setting | value |\n|---|---|\n| stage | dev |\n| {n} | {v} |\n| region | eu |", forbidden="|\n \"'`\\", kept=("| stage | dev |", "| region | eu |")),
    Context("table with code", lambda n, v: f"| setting | value |\n|:--|--:|\n| `stage` | `dev` |\n| `{n}` | `{v}` |\n| `region` | `eu` |", forbidden="|\n`", kept=("| `stage` | `dev` |", "| `region` | `eu` |")),
    Context("column of a table", lambda n, v: f"| user | {n} | region |\n|---|---|---|\n| joe | {v} | eu |\n| ann | none | us |", forbidden="|\n \"'`\\", kept=("| user | ", "| joe | ", "| eu |", "| ann | none | us |")),
    Context("XML", lambda n, v: f"<app><stage>dev</stage><{n}>{v}</{n}><region>eu</region></app>", escape, "\n", kept=("<stage>dev</stage>", "<region>eu</region>")),
    Context("XML attribute", lambda n, v: f'<db user="joe" {n}="{v}" region="eu"/>', lambda v: escape(v, {'"': "&quot;"}), "\n", kept=('<db user="joe"', 'region="eu"/>')),
    Context("XML key and value", lambda n, v: f'<add key="stage" value="dev"/><add key="{n}" value="{v}"/><add key="region" value="eu"/>', lambda v: escape(v, {'"': "&quot;"}), "\n", kept=('<add key="stage" value="dev"/>', '<add key="region" value="eu"/>')),
    Context("name and value in JSON", lambda n, v: f'[{{"name": "STAGE", "value": "dev"}}, {{"name": "{n}", "value": "{v}"}}, {{"name": "REGION", "value": "eu"}}]', _json, kept=('"value": "dev"', '"value": "eu"')),
    Context("name and value in YAML", lambda n, v: f'env:\n  - name: STAGE\n    value: dev\n  - name: {_upper(n)}\n    value: "{v}"\n  - name: REGION\n    value: eu', _json, kept=("value: dev", "value: eu")),
    Context("code", lambda n, v: f'stage = "dev"\n{n} = "{v}"\nregion = "eu"', _json, kept=('stage = "dev"', 'region = "eu"')),
    Context("code with single quotes", lambda n, v: f"const o = {{ stage: 'dev', {n}: '{v}', region: 'eu' }};", _quoted, kept=("stage: 'dev'", "region: 'eu'")),
    Context("argument in code", lambda n, v: f"login(user='joe', {n}='{v}', region='eu')", _quoted, kept=("login(user='joe', ", "region='eu')")),
    Context("log line", lambda n, v: f"2026-03-02 08:15:42,123 DEBUG auth user=joe {n}={v} region=eu took=12ms", forbidden=" \n\"'`\\", kept=("2026-03-02 08:15:42,123 DEBUG auth user=joe ", "region=eu took=12ms")),
    Context("prose", lambda n, v: f"Hi Joe, the {n} is {v} - please keep it safe.", forbidden=" \n\"'`\\.,;:!?", kept=("Hi Joe, ", "please keep it safe.")),
    Context("prose with a colon", lambda n, v: f"Hi Joe, here we go. {n}: {v}\nPlease keep it safe.", forbidden=" \n\"'`\\", kept=("Hi Joe, here we go.", "Please keep it safe.")),
    Context("HTTP header", lambda n, v: f"GET /v1/items HTTP/1.1\nHost: api\n{n}: {v}\nAccept: */*", forbidden=" \n\"'`\\", kept=("Host: api", "Accept: */*")),
    Context("query of a URL", lambda n, v: f"GET https://api/v1/items?user=joe&{n}={v}&region=eu", forbidden="& \n\"'`\\#<>%", kept=("https://api/v1/items?user=joe&", "region=eu")),
    Context("TOML", lambda n, v: f"[app]\nstage = 'dev'\n{n} = '{v}'\nregion = 'eu'", forbidden="'\n", kept=("stage = 'dev'", "region = 'eu'")),
    Context("Python's repr", lambda n, v: f"Config(stage='dev', {n}={v!r}, region='eu')", kept=("Config(stage='dev', ", "region='eu')")),
    Context("Ruby's hash", lambda n, v: f'{{ :stage => "dev", "{n}" => "{v}", :region => "eu" }}', _json, kept=(':stage => "dev"', ':region => "eu"')),
)  # fmt: skip
HELD_OUT = frozenset({
    "angle brackets", "a list in YAML", "quotation marks", "code with single quotes", "Python's repr", "TOML", "XML attribute",
    "name and value in YAML", "command line with =", "Ruby's hash", "exported", "table with code", "argument in code",
})  # fmt: skip
"""The names of those that no rule was tuned on."""
