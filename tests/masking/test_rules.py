"""The built-in rules of redaction: what each finds, what it leaves as it is, and that no text can stall it."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest

from opentelemetry_instrumentation_genai._content.redaction import redaction
from opentelemetry_instrumentation_genai._masking.masking import masked
from opentelemetry_instrumentation_genai._masking.rules import MASKED, RULES

pytestmark = [pytest.mark.exhaustive, pytest.mark.pure]

FOUND = {
    "email": [
        ("joe@example.com", "[email]"),
        ("Joe.O'Hara+spam@mail.example.co.uk.", "[email]."),
        ("<mailto:joe@bücher.example>", "<mailto:[email]>"),
        ("jose\u0301.m@cafe\u0301.example", "[email]"),
        ('"joe doe"@example.com', "[email]"),
        ("'joe@example.com'", "'[email]'"),
        (r'{"to": "joe\u0040example.com", "cc', '{"to": "[email]", "cc'),
        ("?to=joe%40example.com&n=1", "?to=[email]&n=1"),
    ],
    "phone": [
        ("+49 30 901820", "[phone]"),
        ("call +1 (415) 555-2671 now", "call [phone] now"),
        ("(415) 555-2671x12", "(415) 555-2671x12"),
        ("+14155552671x12", "[phone]x12"),
        ("Tel. 030/1234567.", "Tel. [phone]."),
        ("call 1-800-555-1234", "call [phone]"),
        ("1.415.555.2671", "[phone]"),
        ("1 (415) 555-2671, 1(415)555-2671", "[phone], [phone]"),
        ("(415)555-2671", "[phone]"),
        ("+49\u00a030\u00a0901820, +49\u201130\u2011901820", "[phone], [phone]"),
        ("01 42 68 53 00, 06.12.34.56.78", "[phone], [phone]"),
        ("8 (495) 123-45-67, (11) 91234-5678", "[phone], [phone]"),
        ("phone: 4155552671", "phone: [phone]"),
        ('{"mobile": "0301234567"}', '{"mobile": "[phone]"}'),
        ("(office 030 1234567)", "(office [phone])"),
    ],
    "credit_card": [
        ("4111 1111 1111 1111", "[credit_card]"),
        ("3782-822463-10005", "[credit_card]"),
        ("4111 1111 1111 1111 123", "[credit_card] 123"),
        ("1234 4111 1111 1111 1111", "1234 [credit_card]"),
        ("no. 4111111111111111,", "no. [credit_card],"),
        ("4111\u00a01111\u00a01111\u00a01111, 4111\u20111111\u20111111\u20111111", "[credit_card], [credit_card]"),
    ],
    "iban": [
        ("DE89 3704 0044 0532 0130 00 is mine", "[iban] is mine"),
        ("GB82WEST12345698765432", "[iban]"),
        ("AB12 DE89370400440532013000", "AB12 [iban]"),
        ("DE89\u202f3704\u202f0044\u202f0532\u202f0130\u202f00", "[iban]"),
    ],
    "ip": [
        ("10.0.0.1:8080", "[ip]:8080"),
        ("[2001:db8::1]:80", "[[ip]]:80"),
        ("IP:2001:db8::1", "IP:[ip]"),
        ("fe80::1%eth0", "[ip]%eth0"),
    ],
    "jwt": [("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "[jwt]")],
    "aws_key": [
        ("AKIAIOSFODNN7EXAMPLE", "[aws_key]"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "aws_secret_access_key = [aws_key]"),
    ],
    "private_key": [
        ("a -----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY----- b", "a [private_key] b"),
        ("-----BEGIN RSA PRIVATE KEY-----\nwithout an end", "[private_key]"),
    ],
    "secrets": [
        ("Bearer abcdefgh12345678", "Bearer [secrets]"),
        ("Authorization: Basic am9lOnNlY3JldA==", "Authorization: Basic [secrets]"),
        ('{"api_key": "0123456789abcdef"}', '{"api_key": "[secrets]"}'),
        ("password: correcthorse1battery", "password: [secrets]"),
        ("sk-ant-api03-abcdefghijklmnop is it", "[secrets] is it"),
        ("hf_abcdefghijklmnopqrstuvwxyzABCDEFGH", "[secrets]"),
        ("postgres://user:hunter2@db/x", "postgres://user:[secrets]@db/x"),
        ("redis://:pw@h:6379", "redis://:[secrets]@h:6379"),
        ("mysql+pymysql://u:p@ss:w0rd!@h/d?e=a@b", "mysql+pymysql://u:[secrets]@h/d?e=a@b"),
        ("https://u:${PASSWORD}@h", "https://u:[secrets]@h"),
        ('{"url": "amqp://u:p\\u00fc@h"}', '{"url": "amqp://u:[secrets]@h"}'),
    ],
}
LEFT = {
    "email": [
        "git@example.com:acme/app.git",
        "react@18.3.0-canary.abc",
        "joe at example.com",
        "a@b",
        "@handle",
        "x@@y.com",
        "3 @ 4.5",
    ],
    "phone": [
        "2024-05-06 10:20:30",
        "1.234.567",
        "v1.2.3.4.5.6.7",
        "3.14159265358979",
        "100 200 300",
        "12345678901234",
        "4155552671 or 0301234567",
        "v1.415.555.2671",
        "2021-415-555-2671",
        "02.03.2026 08:15:42",
        "ISSN 0317-8471",
        "ISBN 0-306-40615-2",
        "Tel. 02.03.2026",
        "invoice no. 0815 471100",
        "66 00 68 00 71 00 77",
        "01067-01326",
    ],
    "credit_card": [
        "0.4111111111111111",
        "a4111111111111111b",
        "4111 1111 1111 1112",
        "1111 1111 1111 1117",
        "0000 0000 0000 0000",
        "20240506102030",
    ],
    "iban": ["DE89 3704 0044 0532 0130 01", "XX89370400440532013000", "AB12"],
    "ip": [
        "1.2.3",
        "999.1.1.1",
        "1.2.3.4.5",
        "12:30:45",
        "std::vector",
        "a::b",
        "::",
        "::1",
        "[::1]:80",
        "00:1a:2b:3c:4d:5e",
        "127.0.0.1",
        "version 1.2.3.4 to 1.2.4.0",
        "Chrome/126.0.0.0 Safari",
        "foo-1.2.3.4.tar.gz",
        "names[1::2]",
    ],
    "jwt": ["eyJ", "eyJhbGci", "keyJabcd.efgh"],
    "aws_key": ["AKIA", "AKIAIOSFODNN7EXAMPLEX", "SAKIAIOSFODNN7EXAMPLE"],
    "private_key": ["-----BEGIN PUBLIC KEY-----", "my PRIVATE KEY"],
    "secrets": [
        "A key-value store of risk-free work",
        "bearer of bad news",
        "Basic understanding is required",
        "The token expired",
        "password: please",
        "pk_id",
        "max_tokens=100",
        "http://host:8080/a@b",
        "http://host:8080?to=joe@example.com",
        "see http://a: joe@example.com",
        '"http://a:80\\njoe@example.com"',
        "ssh://user@host, git@host:a/b",
        "Authorization: Bearer <token>",
        "password: ${{ secrets.PASSWORD_1 }}",
        "api_key=os.environ['KEY_1']",
        "token = tokens[i + 12345678]",
        "API_KEY=xxxxxxxxxxxxxxxxxxxxxxxx1"[:-1],
        '{"primary_key": "0123456789abcdef0123", "next_page_token": "CAUQAA0123456789"}',
        '{"key": "5d41402abc4b2a76b9719d911017c592"}',
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "chatcmpl-9nKqXkLr2mTz8VbYw4PdRsHf1cUjA",
        "arn:aws:secretsmanager:eu-central-1:0:secret:shop-a1b2c3",
    ],
}


def cases(table: dict[str, list[Any]]) -> list[Any]:
    """One for each line of a table."""
    return [
        pytest.param(rule, entry, id=f"{rule}-{place}")
        for rule, found in table.items()
        for place, entry in enumerate(found)
    ]


def test_every_rule_is_in_both_tables():
    """None is without an example and a counter-example."""
    assert RULES.keys() == FOUND.keys() == LEFT.keys()


@pytest.mark.parametrize(("rule", "case"), cases(FOUND))
def test_what_is_found(rule, case):
    """It is replaced by the rule's name, and the words around it stay."""
    text, expected = case
    assert expected == redaction([rule]).begin().text(text)


@pytest.mark.parametrize(("rule", "text"), cases(LEFT))
def test_what_is_left(rule, text):
    """What only looks like it is none."""
    assert text == redaction([rule]).begin().text(text)


# A password, and texts in which it is written as each format asks for; what is not the password stays.
PASSWORDS = ("Tr0ub4dor&3xyz#9Z", "aD5ua4$VNxxh#z31q", "xsV5oh!jA7g$xy", "p(a)[s]{s}1+=?/:~^%")
FORMS = (
    '{{"user": "joe", "password": "{}", "ok": true}}',
    '{{"user": "joe", "password": "{}", "ok": tr',
    '{{"body": "{{\\"password\\": \\"{}\\", \\"ok\\": 1}}"}}',
    "DB_PASSWORD={}",
    "export DB_PASSWORD='{}'\nexport DB_HOST=db",
    "host:          db\npassword:      {}\nport:          5432",
    "password: '{}'",
    'password: "{}"  # of the test',
    "Server=db;Uid=joe;Pwd={};Encrypt=yes",
    "The password is `{}`, please keep it.",
    "**Password:** {}",
    "**Password**: **{}**",
    "| password | {} |\n| host | db |",
    "| user | password |\n|---|---|\n| joe | {} |",
    "| `password` | `{}` |",
    "<db><password>{}</password><host>db</host></db>",
    '<add key="Password" value="{}"/>',
    "login(user='joe', password='{}', host='db')",
    "mysql --user joe --password '{}' shop",
    "machine db login joe password {}",
    '{{"name": "DB_PASSWORD", "value": "{}"}}',
)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("password", PASSWORDS)
def test_special_characters_belong_to_a_password(form, password):
    """In JSON, env, YAML, connection strings, Markdown, XML and tables the whole of it goes, and nothing else."""
    assert form.format("[secrets]") == redaction(["secrets"]).begin().text(form.format(password))
    assert form.format("[secrets]") == masked(form.format(password))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r'{"password": "Tr0ub\"4dor\\", "ok": 1}', r'{"password": "[secrets]\\", "ok": 1}'),
        (r"{'password': 'Tr0ub\'4dor', 'ok': 1}", "{'password': '[secrets]', 'ok': 1}"),
        ("password: 'Tr0ub''4dor'", "password: '[secrets]'"),
        (r'{"password": "Tr\u00fcb4dor\u0026x", "ok', r'{"password": "[secrets]", "ok'),
        (r'{"a": "{\"password\": \"Tr0ub\\\"4dor\", \"b\": 1}"}', r'{"a": "{\"password\": \"[secrets]\", \"b\": 1}"}'),
        ("<password>Tr0ub&amp;4dor&lt;x</password>", "<password>[secrets]</password>"),
        ("密码\uff1aTr0ub&4dor\uff0cPasswort lautet Tr0ub&4dor", "密码\uff1a[secrets]\uff0cPasswort lautet [secrets]"),
    ],
)
def test_escapes_belong_to_a_password(text, expected):
    """Those of JSON, of JSON within JSON, of Python, YAML and XML."""
    assert expected == redaction(["secrets"]).begin().text(text)
    assert expected == masked(text)


@pytest.mark.parametrize("password", [*PASSWORDS, "s\"p'4 ces & a\nl1ne", 12345678])
@pytest.mark.parametrize("wrap", [lambda it: {"password": it}, lambda it: {"name": "DB_PASSWORD", "value": it}])
def test_a_member_that_is_called_a_password(password, wrap):
    """It is redacted as a whole in arguments and results, which are values and no texts."""
    assert wrap("[secrets]") == redaction(["secrets"]).begin().value(wrap(password))
    assert redaction(["secrets"]).begin().needed([wrap(password)])


def test_the_whole_of_a_key_is_found():
    """Also where what is known of its format ends before it does: routable tokens of GitLab go on after a dot."""
    text = redaction(["secrets"]).begin().text
    assert "[secrets]." == text("glpat-aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789abcd.01.0a1b2c3d4.")


def test_a_member_is_looked_at_with_its_name():
    """Arguments of a tool that call something a password; a number that is a card's."""
    redacted = (
        redaction(["all"])
        .begin()
        .value({"password": "0123456789abcdef", "n": 4111111111111111, "x": "0123456789abcdef"})
    )
    assert {"password": "[secrets]", "n": "[credit_card]", "x": "0123456789abcdef"} == redacted


def test_escapes_of_json_are_no_letters():
    """In JSON that is recorded as a text the letter of an escape is no part of the word that follows; all stay."""
    found = redaction(["all"]).begin().text
    assert r'{"a": "b\n[secrets]\u00e9\t[ip]' == found(r'{"a": "b\nsk-proj-abcdefgh12345678\u00e9\t10.0.0.1')
    assert r"C:\new\table of \u00FC" == found(r"C:\new\table of \u00FC")


# How long it takes.

_PARSER: Any = sys.modules["re._parser" if sys.version_info >= (3, 11) else "sre_parse"]
_REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")
_ONE = ("LITERAL", "NOT_LITERAL", "ANY", "IN")


def repeats(pattern: Any, outer: int = 1) -> Any:
    """The repeats in a pattern: how often all that is around them is repeated, how often they are, and of what."""
    for kind, given in pattern:
        if str(kind) in _REPEATS:
            _, most, inner = given
            yield outer, int(most), inner
            yield from repeats(inner, outer * int(most))
        elif str(kind) == "SUBPATTERN":
            yield from repeats(given[-1], outer)
        elif str(kind) in ("ASSERT", "ASSERT_NOT"):
            yield from repeats(given[1], outer)
        elif str(kind) == "BRANCH":
            for branch in given[1]:
                yield from repeats(branch, outer)


PATTERNS = {pattern for rules in (*RULES.values(), MASKED) for rule in rules for pattern in rule.patterns}


@pytest.mark.parametrize("pattern", sorted(PATTERNS, key=lambda pattern: pattern.pattern))
def test_no_pattern_can_take_more_than_linear_time(pattern):
    """An open repeat is of single characters and within no other; what is repeated within a repeat is bounded, and small."""
    assert not any(flag & pattern.flags for flag in (re.LOCALE, re.DEBUG))
    for outer, most, inner in repeats(_PARSER.parse(pattern.pattern)):
        single = len(inner) == 1 and str(inner[0][0]) in _ONE
        assert (outer == 1 and single) if most >= 1 << 20 else outer * most <= 512


HOSTILE = ("a", "1", "a@", "a@a.", "1 ", "1.", "::", "f:", "sk-", "SG.aaaaaaaaaaaaaaaa.", "eyJaaaa.", "eyJaaaa.aaa ")
HOSTILE += (
    "DE89 3704 ",
    "4111 ",
    "+1 (",
    "(030) ",
    "-----BEGIN ",
    "-----BEGIN PRIVATE KEY----------END ",
    "key=",
    "://a:",
    "://",
    ":@",
    "1 (415) ",
    "\\n",
)


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_hostile_text_of_a_megabyte_comes_to_an_end(piece):
    """Where a rule took more than linear time, this test would not. What is left is looked at again, and is the same."""
    found = redaction(["all"]).begin().text
    redacted = found(piece * ((1 << 20) // len(piece)))
    assert redacted == found(redacted)


HOSTILE_NAMES = (
    "password=",
    "aKey=",
    "pass|",
    "|password|\n",
    "password='",
    "login a password ",
    "key: ",
    "a,key\n",
    "password=a&b=",
)
HOSTILE_NAMES += (
    "tel 1234567 ",
    "1.1.1.1, ",
    "\\\\",
    '\\\\"',
    "\u200b",
    "Authorization: Bearer ",
    "Cookie: a=aaaaaaaaaaaaaaaa1;",
)


@pytest.mark.parametrize("piece", HOSTILE_NAMES)
def test_a_hostile_text_of_names_and_escapes_comes_to_an_end(piece):
    """What is looked at for each name is of bounded length, and no name within a value that is none is looked at for ever."""
    found = redaction(["all"]).begin().text
    redacted = found(piece * ((1 << 18) // len(piece)))
    assert redacted == found(redacted)


ENDLESS = (
    "password=a1b2c3" + "(" * 100_000 + ")" * 200_000,
    "password='a1b2c3" + "''x" * 100_000,
    "x" * 500_000 + " password\ny",
)


@pytest.mark.parametrize("text", ENDLESS, ids=["brackets", "apostrophes", "a line"])
def test_a_value_and_a_line_without_an_end(text):
    """Where a value ends is found in a time that grows with the value, and with nothing else."""
    found = redaction(["all"]).begin().text
    redacted = found(text)
    assert redacted == found(redacted)
