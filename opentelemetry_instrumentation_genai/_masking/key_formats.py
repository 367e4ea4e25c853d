"""Formats of keys and tokens that are known by how they begin, or by what stands in them.

Prefixes, alphabets and lengths: the vendors' own pages, and the patterns by which GitHub, GitLab and others scan for them. A star is
among the characters of some, since error messages quote keys with their middle hidden.
"""

from __future__ import annotations

import re

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_WITH_A_DIGIT = r"(?=[\w*.-]{0,48}[\d*])"
_FORMATS = (
    # OpenAI, Anthropic, OpenRouter, DeepSeek, Moonshot, LiteLLM, Langfuse and others; without a digit it must be longer
    # than a word.
    rf"sk-(?:{_WITH_A_DIGIT}[\w*.-]{{8,}}|[A-Za-z0-9]{{24,}}[\w*.-]*)|sk_[A-Za-z0-9*]{{20,}}",
    r"sk-(?:proj|ant|or|lf|svcacct|admin)-[\w*.-]{16,}",
    # Stripe, Clerk, Paystack, Razorpay, Mollie
    r"[prs]k[-_](?:live|test|prod|lf)[-_][\w*-]{10,}|rzp_(?:live|test)_\w{14,}|whsec_[\w+/=]{16,}",
    # Groq, Cerebras, xAI, Perplexity, NVIDIA, Together, Fireworks, Replicate, Hugging Face
    rf"(?:gsk|csk|xai|pplx|nvapi|fw|tgp_v1)[-_]{_WITH_A_DIGIT}[\w*-]{{16,}}|r8_[A-Za-z0-9]{{20,}}|(?:hf|api_org)_[A-Za-z0-9*]{{16,}}",
    # Jina, Voyage, Tavily, Pinecone, LangSmith, LlamaCloud, Firecrawl, RunPod, Anyscale, E2B, Weights & Biases
    r"jina_[\w-]{20,}|pa-[\w-]{30,}|tvly-[\w-]{16,}|pcsk_\w{20,}|lsv2_\w{20,}|llx-\w{24,}|fc-[0-9a-f]{32}|rpa_\w{24,}|esecret_\w{20,}",
    r"e2b_\w{20,}|wandb_v1_[\w-]{30,}|vck_\w{24,}",
    # Google: keys, OAuth's access tokens, refresh tokens and client secrets
    r"AIza[\w*-]{8,}|AQ\.[\w*-]{20,}|ya29\.[\w*.-]{20,}|GOCSPX-[\w*-]{20,}|1//0[\w-]{24,}",
    # GitHub
    r"gh[pousr]_[A-Za-z0-9*]{16,}|github_pat_\w{20,}",
    # GitLab; the routable ones go on after a dot
    r"gl(?:pat|dt|rt|ptt|ft|imt|cbt|agent|oas|soat|ffct|rtr|wt)-[\w-]{16,}(?:\.[0-9a-z]{2,12}){0,3}|GR1348941[\w-]{20,}",
    # Amazon Bedrock
    r"ABSK[A-Za-z0-9+/]{40,}={0,2}|bedrock-api-key-[\w+/=-]{20,}",
    # Azure: secrets of applications, and keys that carry the mark of their service
    r"[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,}|[A-Za-z0-9]{40,60}JQQJ99[A-Za-z0-9]{16,}",
    # Slack, Discord, Telegram, Twilio
    r"xox[a-z](?:\.xox[a-z])?-[\w*-]{10,}|xapp-[\w-]{10,}|[MNO][A-Za-z0-9_-]{23,25}\.[\w-]{6}\.[\w-]{27,}",
    r"[0-9]{8,10}:AA[\w-]{32,}|(?:AC|SK)[0-9a-fA-F]{32}(?![0-9A-Za-z])|AAAA[\w-]{7}:APA91b[\w-]{100,}",
    # SendGrid, Mailgun, Mailchimp, Brevo, Resend, Postman
    r"SG\.[\w-]{16,}\.[\w-]{16,}|key-[0-9a-f]{32}|[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}(?![\w-])|[0-9a-f]{32}-us[0-9]{1,2}(?!\w)",
    r"xkeysib-[\w-]{40,}|re_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,}|PMAK-[0-9a-f]{24}-[0-9a-f]{34}",
    # Atlassian, Linear, Notion, Figma, Airtable, HubSpot
    r"AT[AC]TT3[\w=-]{60,}|ATBB[A-Za-z0-9]{28,}|lin_(?:api|oauth)_\w{32,}|secret_[A-Za-z0-9]{40,}|ntn_[A-Za-z0-9]{40,}",
    rf"fig[du]r?_[\w-]{{32,}}|pat[A-Za-z0-9]{{14}}\.[0-9a-f]{{64}}|pat-(?:na|eu|ap)[0-9]-{_UUID}",
    # Square, Braintree, Shopify, Facebook
    r"sq0[a-z]{3}-[\w-]{20,}|(?<![+/])EAAA[\w-]{40,}|access_token\$(?:production|sandbox)\$\w{16}\$[0-9a-f]{32}|shp(?:at|ca|pa|ss|ua|it)_[a-fA-F0-9]{32}",
    r"(?<![+/])EAA[A-Za-z0-9]{80,}|CFPAT-[\w-]{40,}|tfp_[\w-]{40,}|FLWSECK(?:_TEST)?-[\w-]{12,}|duffel_(?:test|live)_[\w=-]{40,}|EZ[AT]K[A-Za-z0-9]{54}|[0-9]{15,16}\|[\w-]{27}(?!\w)",
    # Packages: npm, PyPI, RubyGems, crates.io, NuGet, Clojars; containers: Docker Hub
    r"npm_[A-Za-z0-9]{30,}|pypi-[\w-]{30,}|rubygems_[0-9a-f]{48}|cio[A-Za-z0-9]{32}(?!\w)|oy2[a-z0-9]{43}(?!\w)|CLOJARS_[0-9a-f]{60}",
    r"dckr_[po]at_[\w-]{24,}",
    # Clouds: DigitalOcean, Databricks, Vault, Terraform, Pulumi, Supabase, PlanetScale, Fly, Netlify, Heroku, Doppler
    r"do[opr]_v1_[a-f0-9]{40,}|dapi[0-9a-f]{32}(?:-[0-9])?|hv[sbr]\.[\w-]{20,}|[A-Za-z0-9]{14}\.atlasv1\.[\w-]{60,}|pul-[0-9a-f]{40}",
    r"sbp_[0-9a-f]{40}|sb_secret_[\w-]{20,}|pscale_(?:tkn|pw|oauth)_[\w.=-]{32,}|fo1_[\w-]{40,}|fm[12]_[\w+/=]{60,}",
    r"n[fp][pocub]_[A-Za-z0-9]{36}|HRKU-[\w-]{36,}|dp\.(?:pt|ct|st|sa|scim|audit)\.(?:[\w-]{1,40}\.)?[A-Za-z0-9]{40,}",
    # What watches: New Relic, Grafana, Sentry, Dynatrace; what builds: SonarQube, Buildkite, CircleCI, JFrog, Prefect
    r"NR(?:AK|II|JS|AA|RA)-[\w-]{18,}|gl(?:sa|c)_[\w+/=]{32,}|eyJrIjoi[A-Za-z0-9+/]{60,}={0,3}|sntry[su]_[\w+/=]{40,}|dt0[a-z][0-9]{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}",
    r"sq[pua]_[0-9a-f]{40}|bk[a-z]{1,2}_[0-9a-f]{40}|CCI(?:PAT|PRJ)_\w{20,}|AKCp[A-Za-z0-9]{60,}|pnu_[a-z0-9]{36}|aio_[A-Za-z0-9]{28}",
    # Networks, vaults and flags: Tailscale, 1Password, age, LaunchDarkly, Mapbox, PASETO, Dropbox
    r"tskey-[a-z]{3,12}-[\w-]{20,}|ops_eyJ[\w+/=-]{60,}|A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}(?!\w)|AGE-SECRET-KEY-1[A-Z0-9]{50,}",
    rf"(?:sdk|api|mob)-{_UUID}|[st]k\.eyJ[\w-]{{20,}}\.[\w-]{{20,}}|v[1-4]\.(?:local|public)\.[\w-]{{40,}}|sl\.(?:u\.)?[\w-]{{100,}}",
    # Cloudflare, Alibaba, Adobe, Artifactory, ClickHouse, Harness, Infracost, MaxMind, Octopus, OpenShift, ReadMe, Scalingo, SettleMint, others
    r"v1\.0-[a-f0-9]{24}-[a-f0-9]{100,}|LTAI[A-Za-z0-9]{17,21}(?!\w)|p8e-[a-z0-9]{32}|cmVmd[A-Za-z0-9]{59}(?!\w)|4b1d[A-Za-z0-9]{38}(?!\w)",
    r"[ps]at\.[\w-]{22}\.[0-9A-Za-z]{24}\.[0-9A-Za-z]{20}|ico-[A-Za-z0-9]{32}|[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk|API-[A-Z0-9]{26}(?!\w)",
    r"sha256~[\w-]{43}|rdme_[a-z0-9]{70}|tk-us-[\w-]{48}|sm_(?:aat|pat|sat)_[A-Za-z0-9]{16}|sgp_(?:[a-fA-F0-9]{16}_|local_)?[a-fA-F0-9]{40}",
    r"fio-u-[\w=-]{60,}|s-s4t2(?:ud|af)-[0-9a-f]{64}|(?<!\.)s\.[A-Za-z0-9]{24}(?![\w.])",
)  # fmt: skip
FORMATS = rf"(?<![A-Za-z0-9])(?:{'|'.join(_FORMATS)})"
"""The pattern of all these formats."""

SHORTEST = 11
"""The length in characters of the shortest key, which has no space within."""

# URLs with which anyone can post to a channel: the secret is the part that cannot be guessed.
WEBHOOKS = (
    r"(?P<kept>//hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/|//(?:canary\.|ptb\.)?discord(?:app)?\.com/api/(?:v[0-9]{1,2}/)?webhooks/"
    r"|\.office\.com/webhook(?:b2)?/|//hooks\.zapier\.com/hooks/catch/|//hook\.[a-z0-9.]{2,12}\.make\.com/|//maker\.ifttt\.com/trigger/"
    r"|//chat\.googleapis\.com/v1/spaces/[\w-]{1,40}/messages\?)[\w@/=&%+-]{16,}"
)

# A key of an unknown vendor: a short prefix, then random characters, in both cases and with digits. Identifiers of
# models and their calls are shorter, digests have one case.
UNKNOWN = re.compile(
    r"(?<![\w./+=%-])(?!(?:sha|md)[0-9]{1,3}[-_])[a-z][a-z0-9]{1,11}(?:[_-][a-z0-9]{1,8}){0,2}[_-]([A-Za-z0-9]{32,})(?![\w+/=-])",
    re.ASCII,
)


def random_word(word: str) -> bool:
    """Return whether a word has small letters, capitals and digits, none of them by accident."""
    capitals, digits = sum(map(str.isupper, word)), sum(map(str.isdigit, word))
    least = len(word) // 16
    return min(capitals, digits, len(word) - capitals - digits) > least
