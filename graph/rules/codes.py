"""The table of diagnostic codes: what each rule means and what to do, for ``rungraph explain``."""

from __future__ import annotations

from typing import NamedTuple


class Rule(NamedTuple):
    """One diagnostic code.

    Attributes:
        code: A letter for the level (C config, G graph, E environment, I import, H health) and a
            number.
        title: What is wrong, in a few words.
        severity: What its diagnostics are, as a rule.
        text: Why it is a problem and what to do, for people.
    """

    code: str
    title: str
    severity: str
    text: str


_TABLE = """
C001 error the file cannot be read
The path names no file, a folder, or a file that you may not read. Nothing was read.

C002 error the file is not UTF-8 text
A run config is UTF-8 text. The place is that of the first byte that is not. Save the file as
UTF-8.

C003 error the YAML or JSON is malformed
The parser stopped here. Two frequent causes: a tab used to indent (YAML wants spaces), and
${env.X} without quotes inside {…}: there the braces mean a mapping, so write "${env.X}".

C004 error the document is no mapping
A run config is a mapping with the key 'providers'. This file is empty, or holds a list or a
single value.

C005 error the file holds several documents
A line '---' begins another document. A run config is one document: split the file.

C006 error a key is written twice
YAML readers keep the last of the two without a word. Here it is an error, because the other one is
lost.

C007 error a value that a run config cannot hold
Tags such as !!python/object, keys that are not text (on, 1), an alias inside its own anchor, or
aliases that multiply into more than a million values.

C008 error the file is too large
A file of this size is hardly a run config. Set RUNGRAPH_MAX_CONFIG_BYTES to read it all the
same.

C010 error a value of the wrong type
The place wants another kind of value, such as a list of instances where there is one mapping.
Text that looks like a number or a boolean must be quoted.

C011 error a key is missing
The entry cannot be understood without this key.

C012 warning unknown key
Nothing reads this key, so it is most likely a typo, or of another release than the one that the
config is read as. The rest of the file counts. It is an error where something is lost: a list of
resources that the release reads elsewhere, or a misspelling of a key that must be there.

C013 error unknown version
'version' names the format of the run config. This one reads version "2". Llama Stack and ogx do not
look at it: there it is a warning.

C014 note an older format
The keys routing_table, provider_map and api_providers come from the first format of run
configs. They are read as 'providers'; each instance is named by its type, with a number where
there are several.

C015 error an id, a type or a name holds a control character
Terminals obey control characters, and some characters turn the text around them round. Ids, types
and names stand in every output, so they may not hold any. Elsewhere they are shown escaped.

C016 note a run config inside of another document
The file is a ConfigMap of Kubernetes that holds a run config as text. That one is read; its places
are those in the ConfigMap.

C017 error another kind of document
The file is a template, a build config or something of Kubernetes. A run config has 'providers',
with a list of instances for each API.

C020 error unknown API
No installed catalog has an API of this name. APIs come from rungraph and from packages that
offer a catalog: 'rungraph providers' lists them.

C021 error unknown provider type
The API has no such provider type. 'rungraph providers' lists the types. A type of your own
needs no catalog: name its module with 'module:'.

C022 error an API that cannot be configured
The tables (models, shields, memory_banks) and inspect are made by rungraph itself. What a
provider serves is asked of the provider, and can be added under 'models', 'shields' or
'memory_banks'.

C023 error a provider id is used twice
Ids are unique within an API. The second entry would silently replace the first, so neither is
guessed to be right.

C024 error several providers of an API that is not routed
Calls to a routed API (inference, safety, memory) go to the instance that serves the resource.
Any other API has exactly one instance: with two, one of them would never be called.

C025 error a resource names a provider that is not there
The resource would be registered with a provider that this config does not have, or has switched
off.

C026 error a resource does not say which provider serves it
With one provider of the API there is no question; with several, name one with 'provider_id'.

C027 warning a deprecated provider type
The catalog says that the type is going away (a warning) or has gone (an error), and what to use
instead.

C028 warning a resource is listed twice
The same name with the same provider stands twice in the list; Llama Stack and ogx know all but
models by their name alone. Where the two differ, only one of them can be registered, and from Llama
Stack 0.3.0 on the start ends at the second: take one out.

C029 error the catalog cannot be had
The key 'catalog' names a catalog that there is none of, or a file that is none. The config is
checked against what the installed packages offer instead.

C030 warning a catalog cannot be used
An installed package offers a catalog that cannot be loaded or contradicts another one.
Everything else counts.

C031 error a name that the catalog does not know
No release that the catalog knows has this API or provider type, and it is no misspelling of one
that it has: it is of a later release, or of an external provider. Its nodes are in the graph; what
they need is not known, so it is not checked. With 'external_providers_dir' it is a note: they are
expected from there.

C032 note a type whose needs are not known
The type comes from a module that the config names. What it needs is told by that module, which is
never imported to check a config; write it under 'dependencies' to see it in the graph.

C033 error a spec of an external provider cannot be read
A file in 'external_providers_dir' or 'external_apis_dir' is no YAML mapping. The stack stops there.
A folder that is not on this machine is a note: it can be there where the stack starts.

C034 error a provider that a variable switches on
What is named here is there once the variable is set. Now it is not, so the start fails. With
--allow-unset-env this is a note.

C035 warning a model of two providers
Up to Llama Stack 0.2.15 a model is kept by its id alone, and up to 0.2.24 one that has another name
at its provider is: the last of two replaces the other one without a word.

C036 error a storage backend that will not do
A store, or a provider that keeps something, names a backend under 'storage.backends'. It must be
there, and be of the right family: kv_… for a 'namespace', sql_… for a 'table_name'. rungraph itself
keeps registrations in a file of SQLite only; of another 'metadata_store' it warns.

C037 error a default that is not there
A section names a default provider, model or shield that the config does not have, or a model of
another type. Where the release looks at it when it starts it is an error, else a warning.

C038 note a server without a certificate
From ogx 1.2.0 on the server does not start without a certificate, unless it is told to with
--insecure or 'server.insecure'.

C039 warning resources that are not registered
A list of them in the config is read and not used: tool groups come from the provider types of
tool_runtime from Llama Stack 0.7.0 on, and vector stores have no list from 0.3.0 to 0.4.2. It is
an error where the release fails to register any: scoring functions from 0.1.0 to 0.4.7, datasets
from 0.2.15 to 0.2.19, and vector databases in 0.2.15.

C040 error a secret is missing
The graph was read from JSON, where secrets are masked. It can be shown and asked, not run. Put
the secret into the environment and write ${env.NAME} in the config.

C041 error a mask where a value stands
The text ******** is what rungraph shows instead of a secret. Somebody has copied it out of a plan
or a message; the secret itself is not in it. It is equal to no other value.

C042 error a name that means no resource
A resource names a resource of another table, as a memory bank names its embedding model, and no
provider serves one of that name, or several do. What counts is what the config registers and what
its provider types are known to serve; where one tells only when it runs, nothing is reported. Llama
Stack and ogx register what the config lists before they ask providers what they serve: an embedding
model has to be listed, under the name that the release gives it. What earlier starts have left in
the store of the stack is not looked at.

C043 error members that cannot share calls
Several providers serve a resource together as its members. Its name stands once in the list; every
provider is a member, and 'routing' says how they share its calls.

G001 error a cycle of required dependencies
The nodes need each other, so none of them can be first. Routers and tables count: a provider of
inference that needs safety and a provider of safety that needs inference close a cycle through
both routers. The picture shows one line a node; the weakest link is the dependency whose
removal unties most of the cycles.

G002 note a cycle with an optional dependency
The nodes use each other, but at least one can start without the other. One optional dependency
is dropped (one into a router or table first, then by address; never by the order of the file)
and handed over once both run.

G003 error a required dependency is not configured
The provider cannot start without an API that this config has no provider for.

G004 error a served API has no provider
'apis' promises an API that nothing in this config can answer for. (A routed API starts with an
empty table all the same: that is G007.) A warning where the release leaves the API out and starts.

G005 warning a provider whose API is not served
'apis' is given and does not list the API, so nobody could call the provider. It is not started,
unless another provider needs it. Llama Stack and ogx start it all the same.

G006 error a provider that depends on itself
Its own API is among its dependencies, and it is the only one to serve it.

G007 warning a routed API without a provider
Its table and router are there, so whoever depends on the API can start; every call will say
that nothing is registered.

G008 error a cycle that ends the start
From ogx 1.2.0 on any cycle ends the start, also one through an optional dependency.

Q001 error a check has failed
The query of a check selects more or fewer nodes than the check expects. The nodes are listed;
'rungraph query CONFIG QUERY --output location' shows where they stand. A check is an entry of
'checks' with a name, a query and what to expect: empty (the default), nonempty or a number.

Q002 error a check cannot be asked
Its query cannot be read, or a selector that it names is not there. The caret stands under the
column. A selector that matches no node of this config is no error in a check.

Q003 error a check expects what cannot be
'expect' is 'empty', 'nonempty' or a number of nodes.

Q004 warning a check names what nobody knows
Neither the config nor its catalog has that name, so the part of the query selects nothing, and
the check may pass without looking. Most likely a typo. No wildcard is warned about, and no name
of an API, a provider type or a provider that this config leaves out.

Q005 error a selector cannot be asked
A query under 'selectors' cannot be read, or names a selector that is not there; the caret stands
under the column. It is told whether or not anything asks for the selector.

Q006 warning a selector names what nobody knows
As Q004, of a query under 'selectors'.

E001 error a required environment variable is not set
${env.X} has no default and X is unset or empty. All such variables are reported at once. Write
${env.X:=default} for a default, ${env.X:=} for an empty value that may stay empty.

E002 warning a placeholder that is not one
It looks like ${env.X} but is not, and stays as it is. The forms are ${env.X}, ${env.X:=default}
and ${env.X:+value if X is set}.

E003 note a value that stays text
The variable's value looks like a number that would not survive as one (a leading zero, an
exponent, nan), so it stays text.

E004 note placeholders in the older spelling
Until 2025 a default was written ${env.X:default} and an alternative ${env.X+word}. Both are read;
today they are written ${env.X:=default} and ${env.X:+word}.

E005 error a secret where all is shown
Ids, types and names are in every plan, picture and message, and so are 'apis', 'version',
'selectors', 'checks' and what an entry says beside its config. A variable whose name says that it
holds a secret is not filled in there; the text stays as it is written. Of an id, a type or a name
that holds credentials, such as https://user:password@host, they are masked.

I001 error a module cannot be imported
The provider's module, or the module of its config class, is not there or fails when it is
imported.

I002 error a package is not installed
The provider type needs a distribution that is not installed, or not in a version that will do. The
help is the command that installs it.

I003 error a config that its class rejects
The provider type's own config class does not accept the value at this place.

I004 error a resource that its type rejects
The type of the table's resources does not accept what the config says of this one.

I005 warning an unknown key of a provider's config
The provider type's config class has no such key and would ignore it: most likely a typo.

I006 note a config that is not checked
Its config class cannot be imported, so nobody can say whether it accepts the config. Another
diagnostic says why it cannot.

I007 note a key of a provider's config by another name
The provider type reads this name as well, for public configs have several; one of them is its own.

H001 error a server's name is not known
The host in the provider's config has no address here. What counts is where rungraph runs: a name
inside a container network means nothing outside of it.

H002 error no connection to a server
Nothing listens at the host and port of the provider's config, or no way leads there. Start the
server first, or mend the address.

H003 error a server does not answer in time
The name, the connection, the TLS handshake or the answer took longer than --timeout. A firewall
that drops packets looks like this.

H004 error no TLS with a server
Its certificate is not trusted, has run out or is for another name, or the server does not speak
TLS at all. To trust an authority of your own: export SSL_CERT_FILE=FILE.

H005 error a server that does not speak HTTP
It is there, but hangs up or answers with something else: most likely it is another service, or it
wants https://. Any status of HTTP counts as an answer, 401 and 500 as well.

H008 error a server that has not what its type has
It answers, but not where or as a server of the provider's type does: most likely the path of the
URL is wrong, such as one without /v1, or it is another service.

H009 error a resource that is not on its server
The config places it on a provider whose server does not name it among what it has, so that the
stack would not start. Names count as the server writes them.

H006 error an address that cannot be one
The URL or the port in the provider's config cannot be used by anybody.

H007 note a remote provider that could not be asked
Its config names no address, or one that is not known here, such as ${env.X} with X unset. Its
client library may know where to go. Or its server wants a key to say what it has: none is sent.
"""


def _rules() -> dict[str, Rule]:
    rules: dict[str, Rule] = {}
    for block in _TABLE.strip().split("\n\n"):
        head, _, text = block.partition("\n")
        code, severity, title = head.split(" ", 2)
        rules[code] = Rule(code, title, severity, text)
    return rules


RULES = _rules()
"""The rules by code, in the order of the table."""
