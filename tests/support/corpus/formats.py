"""Formats of keys and tokens, by their vendors' public documentation, as templates of random values.

In a template `{w36}` stands for 36 characters of the alphabet `w`, and so on: see `ALPHABETS`. No value is real.
"""

from __future__ import annotations

import re
import string
from random import Random

_LOWER, _UPPER, _DIGITS = string.ascii_lowercase, string.ascii_uppercase, string.digits
_WORD = string.ascii_letters + _DIGITS
ALPHABETS = {
    "d": _DIGITS,
    "h": _DIGITS + "abcdef",
    "H": _DIGITS + "ABCDEF",
    "l": _LOWER,
    "u": _UPPER,
    "a": _LOWER + _DIGITS,
    "A": _UPPER + _DIGITS,
    "L": string.ascii_letters,
    "w": _WORD,
    "b": _WORD + "-_",
    "B": _WORD + "+/",
    "2": _UPPER + "234567",
    "x": _LOWER + "234567",
}
_PLACE = re.compile(r"\{([a-zA-Z2])(\d+)\}")

# What is found by what it looks like, whatever stands beside it. Alternatives of a kind are its forms.
KEYS: dict[str, tuple[str, ...]] = {
    "OpenAI": ("sk-{w20}T3BlbkFJ{w20}", "sk-proj-{b74}T3BlbkFJ{b74}", "sk-svcacct-{b60}", "sk-admin-{b60}"),
    "Anthropic": ("sk-ant-api03-{b93}AA", "sk-ant-admin01-{b93}AA", "sk-ant-oat01-{b93}AA"),
    "Google API key": ("AIza{b35}",),
    "Google OAuth": ("ya29.{b120}", "GOCSPX-{b28}", "1//0{b60}"),
    "Groq": ("gsk_{w52}",),
    "Hugging Face": ("hf_{L34}", "api_org_{L34}"),
    "xAI": ("xai-{w80}",),
    "Perplexity": ("pplx-{w48}",),
    "OpenRouter": ("sk-or-v1-{h64}",),
    "DeepSeek": ("sk-{h32}",),
    "Cerebras": ("csk-{a48}",),
    "NVIDIA": ("nvapi-{b64}",),
    "Replicate": ("r8_{w37}",),
    "Fireworks": ("fw_{w24}",),
    "Together": ("tgp_v1_{b43}",),
    "Voyage": ("pa-{b43}",),
    "Jina": ("jina_{h32}{b28}",),
    "Pinecone": ("pcsk_{w6}_{w64}",),
    "LangSmith": ("lsv2_pt_{h32}_{h10}", "lsv2_sk_{h32}_{h10}"),
    "Langfuse": ("sk-lf-{h8}-{h4}-{h4}-{h4}-{h12}",),
    "Tavily": ("tvly-{w32}", "tvly-dev-{w32}"),
    "LlamaCloud": ("llx-{w48}",),
    "Firecrawl": ("fc-{h32}",),
    "RunPod": ("rpa_{A44}",),
    "Anyscale": ("esecret_{a26}",),
    "E2B": ("e2b_{h40}",),
    "ElevenLabs": ("sk_{h48}",),
    "Weights & Biases": ("wandb_v1_{b77}",),
    "Amazon Bedrock": ("ABSK{B128}", "bedrock-api-key-{B120}"),
    "AWS access key id": ("AKIA{216}", "ASIA{216}"),
    "GitHub": ("ghp_{w36}", "gho_{w36}", "ghu_{w36}", "ghs_{w36}", "ghr_{w76}", "github_pat_{w22}_{w59}"),
    "GitLab": ("glpat-{b20}", "glptt-{h40}", "glft-{b20}", "GR1348941{b20}"),
    "GitLab, routable": ("glpat-{b40}.01.{a9}", "glpat-{b36}.0{a8}", "glrt-t1_{b30}.01.{a9}"),
    "GitLab deploy token": ("gldt-{b20}",),
    "GitLab runner": ("glrt-{b20}", "glcbt-{h2}_{b20}"),
    "GitLab agent, OAuth and SCIM": ("glagent-{b50}", "gloas-{h64}", "glsoat-{b20}", "glimt-{a25}", "glffct-{b20}"),
    "DigitalOcean": ("dop_v1_{h64}", "dor_v1_{h64}"),
    "DigitalOcean OAuth": ("doo_v1_{h64}",),
    "Docker Hub": ("dckr_pat_{b27}", "dckr_oat_{b32}"),
    "Databricks": ("dapi{h32}", "dapi{h32}-2"),
    "Atlassian": ("ATATT3xFfGF0{b172}={H8}", "ATCTT3xFfGN0{b170}={H8}", "ATBB{w24}{H8}"),
    "Twilio": ("SK{h32}",),
    "Telegram bot": ("{d10}:AA{b33}", "{d9}:AA{b33}"),
    "Slack token": ("xoxb-{d12}-{d13}-{w24}", "xoxp-{d12}-{d12}-{d13}-{h32}", "xapp-1-A{A10}-{d13}-{h64}", "xoxe.xoxp-1-{b146}"),
    "Slack webhook": ("https://hooks.slack.com/services/T{A10}/B{A10}/{w24}", "https://hooks.slack.com/workflows/T{A8}/A{A8}/{d18}/{w24}"),
    "Discord bot": ("M{w23}.G{b5}.{b38}", "OT{w22}.{b6}.{b27}"),
    "Discord webhook": ("https://discord.com/api/webhooks/{d18}/{b68}",),
    "Teams webhook": ("https://acme.webhook.office.com/webhookb2/{h8}-{h4}-4{h3}-a{h3}-{h12}@{h8}-{h4}-4{h3}-a{h3}-{h12}/IncomingWebhook/{h32}/{h8}-{h4}-4{h3}-b{h3}-{h12}",),
    "Stripe": ("sk_live_{w24}", "rk_live_{w99}", "sk_test_51{w97}", "whsec_{w32}"),
    "SendGrid": ("SG.{b22}.{b43}",),
    "Mailgun": ("key-{h32}", "{h32}-{h8}-{h8}"),
    "Mailchimp": ("{h32}-us14",),
    "Brevo": ("xkeysib-{h64}-{w16}",),
    "Resend": ("re_{w8}_{w24}",),
    "npm": ("npm_{w36}",),
    "PyPI": ("pypi-AgEIcHlwaS5vcmc{b140}",),
    "RubyGems": ("rubygems_{h48}",),
    "crates.io": ("cio{w32}",),
    "NuGet": ("oy2{a43}",),
    "Shopify": ("shpat_{h32}", "shpss_{h32}", "shpca_{h32}"),
    "Square": ("sq0atp-{b22}", "sq0csp-{b43}", "EAAA{b60}"),
    "Braintree": ("access_token$production${a16}${h32}",),
    "Razorpay": ("rzp_live_{w14}",),
    "Linear": ("lin_api_{w40}",),
    "Notion": ("secret_{w43}", "ntn_{d11}{w35}"),
    "Figma": ("figd_{b40}",),
    "Airtable": ("pat{w14}.{h64}",),
    "HubSpot": ("pat-na1-{h8}-{h4}-{h4}-{h4}-{h12}",),
    "Postman": ("PMAK-{h24}-{h34}",),
    "New Relic": ("NRAK-{A27}", "NRII-{b32}"),
    "Grafana": ("glsa_{w32}_{h8}", "glc_{w80}"),
    "Sentry": ("sntrys_{B80}_{B43}", "sntryu_{h64}"),
    "Dynatrace": ("dt0c01.{A24}.{A64}",),
    "Doppler": ("dp.pt.{w43}",),
    "Vault": ("hvs.{b90}", "hvb.{b120}"),
    "Terraform Cloud": ("{w14}.atlasv1.{b67}",),
    "Pulumi": ("pul-{h40}",),
    "Supabase": ("sbp_{h40}", "sb_secret_{b31}"),
    "PlanetScale": ("pscale_tkn_{b43}", "pscale_pw_{b43}"),
    "Fly.io": ("fo1_{b43}", "FlyV1 fm2_{B120}"),
    "Netlify": ("nfp_{w36}",),
    "Heroku": ("HRKU-AA{b58}",),
    "Tailscale": ("tskey-auth-k{w16}CNTRL-{w32}",),
    "Okta and SonarQube": ("sqp_{h40}", "squ_{h40}"),
    "Buildkite and CircleCI": ("bkua_{h40}", "CCIPAT_{w22}_{h40}"),
    "JFrog": ("AKCp{w69}",),
    "1Password": ("ops_eyJ{b120}", "A3-{A6}-{A6}-{A5}-{A5}-{A5}-{A5}"),
    "Age": ("AGE-SECRET-KEY-1{A58}",),
    "Mapbox": ("sk.eyJ1{w60}.{w22}",),
    "Facebook": ("EAA{w120}",),
    "Adafruit and Prefect": ("aio_{w28}", "pnu_{a36}"),
    "LaunchDarkly": ("sdk-{h8}-{h4}-4{h3}-a{h3}-{h12}", "api-{h8}-{h4}-4{h3}-a{h3}-{h12}"),
    "Azure client secret": ("{w3}8Q~{b34}",),
    "Azure AI key": ("{w52}JQQJ99B{A9}XJ3w3AAA{A4}ACOG{w4}",),
    "SAS signature": (
        "https://acme.blob.core.windows.net/data/report.csv?sp=r&st=2026-03-02T08:00:00Z&se=2026-03-09T16:00:00Z&sv=2024-11-04&sr=b&sig={w20}%2B{w20}%3D",
        "?sv=2024-11-04&ss=b&srt=sco&sp=rl&se=2026-04-01T00:00:00Z&sig={w41}%2F{w1}%3D",
    ),
    "AWS signature in a URL": (
        "https://acme.s3.amazonaws.com/a.zip?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20260302T081500Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=host&X-Amz-Signature={h64}",
    ),
    "JSON Web Token": ("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI{w40}.{b43}", "eyJhbGciOiJub25lIn0.eyJzdWIiOiI{w30}."),
    "JSON Web Encryption": ("eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.{b86}.{b16}.{b64}.{b22}",),
    "PASETO": ("v4.local.{b120}", "v2.public.{b120}"),
}  # fmt: skip

# Values that only their name identifies: names as they are written, and forms of the value.
NAMED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Azure key": (
        ("AZURE_OPENAI_API_KEY", "AZURE_SPEECH_KEY", "azure_key", "Ocp-Apim-Subscription-Key", "subscription_key"),
        ("{h32}",),
    ),
    "Azure storage key": (("AccountKey", "AZURE_STORAGE_KEY", "account_key", "SharedAccessKey"), ("{B86}==", "{B43}=")),
    "Mistral, Cohere and others": (("MISTRAL_API_KEY", "COHERE_API_KEY", "AI21_API_KEY", "api_key", "apiKey"), ("{w32}", "{w40}")),
    "AWS secret access key": (("AWS_SECRET_ACCESS_KEY", "aws_secret_access_key", "SecretAccessKey", "secretAccessKey"), ("{B40}",)),
    "AWS session token": (("AWS_SESSION_TOKEN", "aws_session_token", "SessionToken", "x-amz-security-token"), ("IQoJb3JpZ2luX2Vj{B280}==", "FwoGZXIvYXdzE{B200}=")),
    "Datadog": (("DD_API_KEY", "DATADOG_APP_KEY", "dd-api-key"), ("{h32}", "{h40}")),
    "Cloudflare": (("CLOUDFLARE_API_TOKEN", "CF_API_TOKEN", "cloudflare_api_key"), ("{b40}", "{h37}")),
    "Twilio auth token": (("TWILIO_AUTH_TOKEN", "twilioAuthToken", "auth_token"), ("{h32}",)),
    "OAuth client secret": (("client_secret", "clientSecret", "OAUTH_CLIENT_SECRET", "consumer_secret"), ("{b40}", "{w32}", "{h64}")),
    "OAuth access and refresh token": (("access_token", "refreshToken", "refresh_token", "accessToken", "id_token"), ("{b64}", "{w40}", "{b120}")),
    "Signing secret": (("JWT_SECRET", "SECRET_KEY_BASE", "signing_secret", "webhookSecret", "session_secret"), ("{h64}", "{w48}", "{B43}=")),
    "Encryption key": (("ENCRYPTION_KEY", "masterKey", "private_key", "hmac_key", "APP_KEY"), ("{h64}", "{B43}=")),
    "Heroku and other UUIDs": (("HEROKU_API_KEY", "POSTMARK_API_TOKEN", "exa_api_key", "server_token"), ("{h8}-{h4}-4{h3}-a{h3}-{h12}",)),
    "Session cookie": (("sessionid", "JSESSIONID", "PHPSESSID", "ASP.NET_SessionId"), ("{a32}", "{H32}")),
}  # fmt: skip


def filled(random: Random, template: str) -> str:
    """Return the template with random characters in its places; each place of letters and digits has both."""
    return _PLACE.sub(lambda place: word(random, ALPHABETS[place[1]], int(place[2])), template)


def word(random: Random, alphabet: str, length: int) -> str:
    """Return random characters, with a digit at least where the alphabet has some and the word is not short.

    The ends are letters or digits, since a value that ends with a dash is what no vendor promises to avoid, but what a
    reader of a text cannot distinguish from the text's own punctuation.
    """
    plain = [character for character in alphabet if character.isalnum()]
    letters = random.choices(alphabet, k=length)
    if "7" in alphabet and length > 6:
        letters[random.randrange(1, length - 1)] = random.choice("23456789" if "0" in alphabet else "234567")
    letters[0], letters[-1] = random.choice(plain), random.choice(plain)
    return "".join(letters)
