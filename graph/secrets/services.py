"""What the keys and the hooks of well-known services look like.

The kinds of keys are those of the public rules of gitleaks and detect-secrets.
"""

from typing import Final

SERVICE_KEYS: Final = (
    r"sk-[\w-]{16,}",
    r"[sr]k_(?:live|test|prod)_\w{10,}",
    r"whsec_[\w/+=]{16,}",
    r"gh[pousr]_\w{16,}",
    r"github_pat_\w{16,}",
    r"gl(?:pat|ptt|rt|soat|dt|cbt)-[\w-]{16,}",
    r"hf_[A-Za-z0-9]{16,}",
    r"gsk_\w{16,}",
    r"nvapi-[\w-]{16,}",
    r"r8_\w{16,}",
    r"fw_\w{16,}",
    r"pplx-\w{16,}",
    r"tvly-[\w-]{16,}",
    r"xai-\w{16,}",
    r"lsv2_(?:pt|sk)_\w{16,}",
    r"pcsk_\w{16,}",
    r"xox[abeoprs]-[\w-]{10,}",
    r"xapp-[\w-]{10,}",
    r"A(?:KIA|SIA|BIA|CCA)[0-9A-Z]{16}\b",
    r"AIza[\w-]{30,}",
    r"ya29\.[\w-]{16,}",
    r"GOCSPX-[\w-]{16,}",
    r"npm_[A-Za-z0-9]{16,}",
    r"pypi-[\w-]{16,}",
    r"dckr_pat_[\w-]{16,}",
    r"do[opr]_v1_\w{16,}",
    r"shp(?:at|ca|pa|ss)_\w{16,}",
    r"SG\.[\w-]{10,}\.[\w-]{10,}",
    r"SK[0-9a-f]{32}\b",
    r"key-[0-9a-f]{32}\b",
    r"hv[sbr]\.[\w-]{16,}",
    r"ATATT3[\w=-]{16,}",
    r"lin_api_\w{16,}",
    r"ntn_\w{16,}",
    r"secret_[A-Za-z0-9]{32,}",
    r"dp\.(?:pt|st|ct|sa)\.\w{16,}",
    r"figd_[\w-]{16,}",
    r"PMAK-[\w-]{16,}",
    r"sntry[su]_[\w=/+-]{16,}",
    r"gl(?:sa|c)_[\w=/+-]{16,}",
    r"NRAK-\w{16,}",
    r"dapi[0-9a-f]{32}(?:-\d)?\b",
    r"PMAT-\w{16,}",
    r"AGE-SECRET-KEY-1[0-9A-Z]{16,}",
    r"\d{8,10}:AA[\w-]{30,}",
    r"sq0(?:atp|csp|idp)-[\w-]{16,}",
    r"EAACEdEose0cBA\w{8,}",
    r"tfp_\w{16,}",
    r"rubygems_[0-9a-f]{16,}",
    r"AQVN[\w-]{30,}",
    r"eyJ[\w-]{4,}\.[\w-]{4,}(?:\.[\w-]*)?",
    r"sbp_[0-9a-f]{40}\b",
    r"\${1,2}(?:apr1|[156y]|2[abxy]|argon2id?)\${1,2}[\w./=+,$-]{16,}",
)
"""What keys of well-known services look like."""

HOOKS: Final = (
    r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/(?P<slack>[\w/-]{8,})",
    r"api\.telegram\.org/(?:file/)?bot(?P<telegram>[\w:-]{8,})",
    r"discord(?:app)?\.com/api/(?:v\d+/)?webhooks/\d+/(?P<discord>[\w-]{8,})",
    r"(?:webhook\.office|outlook\.office|outlook\.office365)\.com/webhook\w*/(?P<teams>[\w@/-]{8,})",
    r"hooks\.zapier\.com/hooks/catch/(?P<zapier>[\w/-]{4,})",
    r"maker\.ifttt\.com/trigger/\w+/(?:json/)?with/key/(?P<ifttt>[\w-]{8,})",
    r"mattermost[\w.-]*/hooks/(?P<mattermost>\w{16,})",
)
"""URLs that whoever knows them can post to; the secret is the one group that matches."""
