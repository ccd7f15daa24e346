"""Command lines whose flags give a password: which clients, and which flags."""

from __future__ import annotations

import re
from typing import Final

LOGIN_FLAGS: Final = ("-u", "-U", "--user", "--proxy-user", "--userpwd")
"""Flags of command lines that ``user:password`` follows."""
CLIENTS: Final = {
    "-p": re.compile(r"\b(?:mysql\w*|mariadb[\w-]*|sshpass)\b"),
    "-p ": re.compile(r"\b(?:cqlsh|login|mongo[a-z]*|sshpass|twine)\b"),
    "-P": re.compile(r"\b(?:sqlcmd|bcp)\b"),
    "-P ": re.compile(r"\b(?:sqlcmd|bcp|zip|unzip|ipmitool|mosquitto_\w+)\b"),
    "-U ": re.compile(r"\b(?:smbclient|rpcclient)\b"),
    "-c ": re.compile(r"\bsnmp[a-z]+\b"),
    "-N ": re.compile(r"\bssh-keygen\b"),
    "-k ": re.compile(r"\bopenssl\W+enc\b"),
    "-w ": re.compile(r"\bldap[a-z]+\b"),
    "-a ": re.compile(r"\b(?:redis-cli|https?(?=\s)|xh)\b"),
    "-b ": re.compile(r"\bcurl\b"),
}
"""Flags that give the password of some clients alone, and how those are called."""


def is_for_password(flag: str, before: str) -> bool:
    """Whether *before* a *flag* a client is called that has it for its password.

    A flag that ends with a blank is one whose value is a word of its own.
    """
    client = CLIENTS.get(flag)
    return client is not None and client.search(re.split(r"[\n;|&]", before)[-1]) is not None
