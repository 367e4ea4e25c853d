"""Secrets of other shapes than a key: passwords, private keys, credentials in URLs and in headers."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from random import Random

from .formats import ALPHABETS, filled, word

_SPECIAL = "!@#$%^&*?~+=-_.,:/()[]{}<>|;"
_NAMES = (
    "password", "Password", "DB_PASSWORD", "db_password", "passwd", "pwd", "Pwd", "userPassword", "MYSQL_ROOT_PASSWORD", "PGPASSWORD",
    "smtp_pass", "adminPassword", "root_password", "spring.datasource.password", "login-password",
)  # fmt: skip
_HELD_OUT_NAMES = (
    "REDIS_PASSWORD",
    "ftp_passwd",
    "Passwort",
    "contraseña",
    "mot de passe",
    "user_pass",
    "keystorePassword",
    "passphrase",
    "senha",
    "пароль",
)


def _password(random: Random, special: str, least: int, most: int) -> str:
    """Letters, digits and special characters, which stand between the first character and the last."""
    length = random.randint(least, most)
    inner = random.choices(ALPHABETS["w"] + special * 2, k=length - 4)
    inner += [random.choice(special), random.choice(ALPHABETS["d"])]
    random.shuffle(inner)
    return random.choice(ALPHABETS["L"]) + "".join(inner) + random.choice(ALPHABETS["w"] + "!#$*?~+")


def password(random: Random) -> tuple[str, str]:
    """With special characters anywhere."""
    return random.choice(_NAMES), _password(random, _SPECIAL, 10, 24)


def password_of_another_name(random: Random) -> tuple[str, str]:
    """The same by other names and in other languages."""
    return random.choice(_HELD_OUT_NAMES), _password(random, _SPECIAL, 10, 24)


def password_short(random: Random) -> tuple[str, str]:
    """Eight or nine characters."""
    return random.choice(_NAMES), _password(random, "!@#$%&*?+-_", 8, 9)


def password_with_quotes(random: Random) -> tuple[str, str]:
    """With quotes, backslashes and spaces, which have to be escaped."""
    return random.choice(_NAMES), _password(random, "'\"\\ `", 12, 20)


def password_readable(random: Random) -> tuple[str, str]:
    """Words, a number and a mark, as people make them."""
    first, second = (word(random, ALPHABETS["l"], random.randint(4, 7)).capitalize() for _ in range(2))
    return random.choice(
        _NAMES
    ), f"{first}{random.choice(['-', '_', '', '.'])}{second}{random.randint(10, 2099)}{random.choice('!?#$*')}"


PASSWORDS: dict[str, Callable[[Random], tuple[str, str]]] = {
    "password": password,
    "password of another name": password_of_another_name,
    "password, short": password_short,
    "password with quotes": password_with_quotes,
    "password of words": password_readable,
}


def _pem(random: Random) -> tuple[str, str]:
    kind = random.choice(["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED ", "DSA "])
    body = "\n".join(word(random, ALPHABETS["B"], 64) for _ in range(random.randint(2, 4)))
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{body}\n-----END {kind}PRIVATE KEY-----", body


def _pgp(random: Random) -> tuple[str, str]:
    body = "\n".join(word(random, ALPHABETS["B"], 64) for _ in range(3))
    return (
        f"-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\n{body}\n={word(random, ALPHABETS['w'], 4)}\n-----END PGP PRIVATE KEY BLOCK-----",
        body,
    )


def _putty(random: Random) -> tuple[str, str]:
    body = "\n".join(word(random, ALPHABETS["B"], 64) for _ in range(2))
    return (
        f"PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: demo\nPublic-Lines: 1\nAAAAC3Nz\nPrivate-Lines: 2\n{body}\nPrivate-MAC: {word(random, ALPHABETS['h'], 64)}",
        body,
    )


def _service_account(random: Random) -> tuple[str, str]:
    body = "\\n".join(word(random, ALPHABETS["B"], 64) for _ in range(3))
    text = (
        '{\n  "type": "service_account",\n  "project_id": "demo",\n  "private_key": "-----BEGIN PRIVATE KEY-----\\n'
        f'{body}\\n-----END PRIVATE KEY-----\\n",\n  "client_id": "none"\n}}'
    )
    return text, body


def _url(random: Random) -> tuple[str, str]:
    secret = _password(random, "!$%^&*~+=-_.", 10, 20)
    scheme, host = random.choice(
        [
            ("postgresql", "db:5432/shop"), ("mysql", "db/shop"), ("mongodb+srv", "c0.x.mongodb.net/a?retryWrites=true"), ("amqps", "mq/v"),
            ("redis", "cache:6379/0"), ("https", "git.internal/a/b.git"), ("ftp", "files/a"), ("smtp", "mail:587"), ("postgresql+asyncpg", "db/a"),
        ]
    )  # fmt: skip
    return f"{scheme}://{random.choice(['joe', 'svc_shop', 'x-token', 'admin'])}:{secret}@{host}", secret


def _url_without_user(random: Random) -> tuple[str, str]:
    secret = _password(random, "!$*~+=-_.", 10, 20)
    return f"redis://:{secret}@cache:6379/0", secret


def _url_token(random: Random) -> tuple[str, str]:
    secret = word(random, ALPHABETS["h"], 32)
    return f"https://{secret}@o450.ingest.sentry.io/450", secret


def _cloudinary(random: Random) -> tuple[str, str]:
    secret = word(random, ALPHABETS["b"], 27)
    return f"cloudinary://123456789012345:{secret}@demo", secret


def _bearer(random: Random) -> tuple[str, str]:
    secret = filled(random, random.choice(["{b43}", "{w32}", "{h40}", "{B86}=="]))
    return random.choice(
        [
            "Authorization: Bearer {}",
            '"Authorization": "Bearer {}"',
            "-H 'Authorization: Bearer {}'",
            "Bearer {}",
            "authorization: bearer {}",
            "headers={{'Authorization': f'Bearer {}'}}",
        ]
    ).format(secret), secret


def _basic(random: Random) -> tuple[str, str]:
    secret = b64encode(f"{word(random, ALPHABETS['l'], 5)}:{_password(random, _SPECIAL, 10, 20)}".encode()).decode()
    return random.choice(
        ["Authorization: Basic {}", '"Authorization": "Basic {}"', "Proxy-Authorization: Basic {}"]
    ).format(secret), secret


def _token_header(random: Random) -> tuple[str, str]:
    secret = word(random, ALPHABETS["h"], 40)
    return random.choice(
        [
            "Authorization: token {}",
            "Authorization: Token {}",
            "PRIVATE-TOKEN: {}",
            "X-Auth-Token: {}",
            "X-API-Key: {}",
            "Authorization: ApiKey {}",
        ]
    ).format(secret), secret


def _curl(random: Random) -> tuple[str, str]:
    secret = _password(random, "!#%^*~+=-_.", 10, 18)
    return random.choice(
        ["curl -u joe:{} https://api/v1", "curl --user 'joe:{}' https://api/v1", 'curl -u "joe:{}" https://api/v1']
    ).format(secret), secret


def _netrc(random: Random) -> tuple[str, str]:
    secret = _password(random, _SPECIAL, 10, 20)
    return f"machine api.internal login joe password {secret}", secret


def _totp(random: Random) -> tuple[str, str]:
    secret = word(random, ALPHABETS["2"], 32)
    return f"otpauth://totp/Demo:joe?secret={secret}&issuer=Demo", secret


def _wireguard(random: Random) -> tuple[str, str]:
    secret = word(random, ALPHABETS["B"], 43) + "="
    return f"[Interface]\nPrivateKey = {secret}\nListenPort = 51820", secret


def _azure_connection(random: Random) -> tuple[str, str]:
    secret = word(random, ALPHABETS["B"], 86) + "=="
    return (
        f"DefaultEndpointsProtocol=https;AccountName=demo;AccountKey={secret};EndpointSuffix=core.windows.net",
        secret,
    )


def _service_bus(random: Random) -> tuple[str, str]:
    secret = word(random, ALPHABETS["B"], 43) + "="
    return f"Endpoint=sb://demo.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey={secret}", secret


def _cookie(random: Random) -> tuple[str, str]:
    secret = word(random, ALPHABETS["b"], 43)
    return random.choice(
        ["Cookie: theme=dark; sessionid={}", "Set-Cookie: session={}; Path=/; HttpOnly", "Cookie: connect.sid=s%3A{}"]
    ).format(secret), secret


SHAPES: dict[str, tuple[str, Callable[[Random], tuple[str, str]]]] = {
    "private key, PEM": ("private_key", _pem),
    "private key, PGP": ("private_key", _pgp),
    "private key, PuTTY": ("private_key", _putty),
    "service account JSON": ("private_key", _service_account),
    "password in a URL": ("secrets", _url),
    "password in a URL without a user": ("secrets", _url_without_user),
    "token in a URL": ("secrets", _url_token),
    "Cloudinary URL": ("secrets", _cloudinary),
    "bearer token": ("secrets", _bearer),
    "basic credentials": ("secrets", _basic),
    "token in a header": ("secrets", _token_header),
    "user and password of curl": ("secrets", _curl),
    "netrc": ("secrets", _netrc),
    "TOTP": ("secrets", _totp),
    "WireGuard": ("secrets", _wireguard),
    "Azure connection string": ("secrets", _azure_connection),
    "service bus connection string": ("secrets", _service_bus),
    "cookie": ("secrets", _cookie),
}
