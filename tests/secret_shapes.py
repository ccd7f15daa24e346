"""Values that are secrets, by key or by shape, and values that only look like it."""

from __future__ import annotations

from typing import Any

PLACEHOLDER = "§"
"""What stands for the secret in `PLANTED`."""

_UNDER_KEYS = """
pass smtp_pass dbpass userpass auth auth_header tokens password_list key keys sas psk pin otp
shared_access_signature session private webhook_url kubeconfig service_account_json jwt pat
api_key_default api_key apiKey X-Api-Key OPENAI_API_KEY client_secret secret_key secretAccessKey
access_token refreshToken bot_token password passwd pwd passphrase credentials cookie
Authorization private_key ssh_key encryption_key signing_key account_key PGPASSWORD
db.password admin_password secret_value password_2 api_tokens github_pat hmac_secret webhook_secret
api_kye pasword credentails recovery_code snmp_community private_key_pem client_key_data pincode
access_code secrets_map dsn connection_string dbConnStr vllm_key LITELLM_SALT_KEY pass_phrase sshkey
.dockerconfigjson hmac supabase_license bindpw x-honeycomb-team
password_confirmation pwd_hash sas_url otps psks priv_key enc_key fernet_key
preshared_key contraseña hasło пароль 密码 mot_de_passe
""".split()  # noqa: SIM905

_IN_TEXTS = [
    "Basic dXNlcjpwYXNzd29yZEA=", "**password**: §", "**Password:** §", "{password:'§'}",
    "Token §", "Bearer §", "ApiKey §",
    "curl -u user:§ http://h/", "curl --user user:§ http://h/", "mysql -u root -p§ db",
    "mysqldump -p§", "serve --token §", "serve --password=§", "serve --api-key '§'",
    "sshpass -p§ ssh h", "redis-cli --pass §",
    "u:§@h:80", "//u:§@h", "http://u:§@h/", "https://u:p@§@h/", "redis://:§@h:6379/0",
    "postgresql://u:§@h/db?sslmode=require", "mongodb+srv://u:§@c.h.net/db", "amqp://u:§@h//",
    "PASS=§", "DB_PASSWORD=§", "export TOKEN=§", "host=h user=u password=§ dbname=d",
    "Server=h;User Id=u;Password=§;", "AccountName=n;AccountKey=§;EndpointSuffix=s",
    "Endpoint=sb://h/;SharedAccessKeyName=n;SharedAccessKey=§",
    "<password>§</password>", "<ns:apiKey type='x'>§</ns:apiKey>", "<c token='§'/>",
    "http://h/?auth=§", "http://h/?pw=§", "http://h/?a=1&api_key=§&b=2", "http://h/?key=§",
    "http://h/?access_token=§", "http://h/?sig=§&se=1", "http://h/#access_token=§",
    "https://b.s3.amazonaws.com/x?X-Amz-Date=1&X-Amz-Signature=§",
    "https://b.s3.amazonaws.com/x?X-Amz-Credential=§",
    "https://storage.googleapis.com/x?X-Goog-Signature=§",
    "https://hooks.slack.com/services/T000/B000/§",
    "https://api.telegram.org/bot123456:§/sendMessage",
    "https://discord.com/api/webhooks/123456/§",
    '{"password": "§"}', '{"a": {"api_key":"§"}}', "{'token': '§'}", '{\\"password\\": \\"§\\"}',
    "Authorization: Bearer §", "curl -H 'X-Api-Key: §' http://h", "Cookie: §", "password: §",
    "-----BEGIN PRIVATE KEY-----\n§\n-----END PRIVATE KEY-----",
    "-----BEGIN OPENSSH PRIVATE KEY-----\n§",
    "use sk-§ now", "ghp_§", "github_pat_§", "glpat-§", "hf_§", "gsk_§", "nvapi-§", "xoxb-§",
    "npm_§", "pypi-§", "eyJhbGciOi.§.c2ln", "tvly-§", "hvs.§", "sk_live_§", "dckr_pat_§", "AIza§§",
    "curl -b 'sid=§' h", "docker login -u me -p § h", "redis-cli -a § ping",
    "login { redis-cli -a § x -p","x -passin pass:§",
    "--header=X-Api-Key:§", "pwd:§", "the password is §", "machine h login u password §",
    '[{"key":"api_key","value":"§"}]', "api_key => '§'", 'api_key := "§"', "environ['API_KEY']='§'",
    'Digest username="u", response="§"', 'Hawk id="x", mac="§"', "`token`: `§`",
    "AWS4-HMAC-SHA256 Credential=§/20200101/x, Signature=§", "Private-Lines: 1\n§",
    '<add key="ApiKey" value="§"/>', "<apikey value='§'/>",
    "DATABASE_DSN=§", "serve --dsn §", "connection_string: §", "secret -> §", "token → §",
    "token --> §", "redis://:§ @h:6379/0", "sshpass -p '§' ssh h", "ssh-keygen -N §",
    "unzip -P § a", "openssl enc -k §", "ldapsearch -w §", "x-functions-key: §",
    "password: !!str §", "WIFI:T:WPA;S:a\\;b;P:§;;", "WIFI:P:§;T:WPA;S:a;;",
    "password: |\n  §", "- name: DB_PASS\n  value: §", "echo '§' | docker login --password-stdin",
    "h:5432:db:u:§", "# of pgpass\n*:*:*:u:§", "http://u:§ @h/", "pg://u:pa § x@h:5432/db",
    "serve --llm-key §", "x-signoz-key=§", "key: §", "https://h/?code=§", "Cookie: a=b; sid=§; c=d",
    "jdbc:oracle:thin:scott/§@//h:1521/x", "sqlplus me/§@h:1521:sid", "$apr1$salt1234$§",
    "$2b$12$§", "aws configure set aws_secret_access_key §", "requirepass §", "curl -u :§ h",
    "npm set //r.example/:_authToken §", "bcp x in y -P§", "https://h/api/mcp/s/§/sse",
    "https://h/webhook/§", "api key is §", "curl -uadmin:§ h", "http -a u:§ h", "cqlsh -p §",
    "smbclient -U user%§ //h", "snmpwalk -c § h", "ipmitool -P § power", "echo § | sudo -S ls",
    "sc /password:§", '<entry key="password">§</entry>', "Uid=u;Pwd={§};", "contraseña: §",
    "AUTH §", "AUTH default §", "'AUTH §'", 'Digest a, Digest username="u", response="§"',
    "setx API_KEY §", "set -gx HF_TOKEN '§'", "API key: §", "Incorrect API key provided: §",
    "Your password is: §", "密码\uff1a§", "<password><![CDATA[§]]></password>",
    "<name>password</name>\n<value>§</value>", "<setting name='ApiKey'><value>§</value></setting>",
]  # fmt: skip

_STRUCTURES: list[Any] = [
    {"auth": {"type": "bearer", "value": "§"}},
    {"headers": [{"name": "Authorization", "value": "§"}]},
    {"env": [{"name": "API_KEY", "value": "§"}, {"name": "PORT", "value": "80"}]},
    {"login": [{"type": "bearer", "value": "§"}]},
    {"login": [{"key": "X-Token", "value": "§"}]},
    {"args": ["--api-key", "§"]}, {"args": ["-u", "user:§"]}, {"args": ["mysql", "--password=§"]},
    {"args": ["redis-cli", "-a", "§"]}, {"args": ["serve", "--api-key", "§"]},
    {"args": ["docker", "login", "-u", "me", "-p", "§"]},
    {"password_list": ["-u", "§"]},
    {"tokens": {"a": "§", "b": ["§"]}}, {"password": [["§"]]}, {"keys": ["§", "§"]},
    {"credentials": {"user": "§"}}, {"headers": [["X-Api-Key", "§"]]},
    {"login": {"field": "password", "value": "§"}}, {"env": [{"var": "API_KEY", "value": "§"}]},
    {"login": {"k": "password", "v": "§"}},
    {"login": {"header_name": "X-Api-Key", "header_value": "§"}},
    {"login": {"headerName": "X-Api-Key", "headerValue": "§"}},
    {"login": {"id": "password", "val": "§"}}, {"login": {"variable": "API_KEY", "value": "§"}},
]  # fmt: skip

DRAWN: list[Any] = [
    {"note": text}
    for text in (
        *("vault login §", "wandb login §", "https://h/v1/§/x", "https://h/bot§/send", "ENC(§)"),
        *("{SHA}§", "pw §", "https://§@h/a.git", "wss://h/?t=§"),
    )
]
"""Values that hold a secret which nothing but its own looks tells."""
PLANTED: list[Any] = [
    *({key: PLACEHOLDER} for key in _UNDER_KEYS),
    *({"note": text} for text in _IN_TEXTS),
    *_STRUCTURES,
]
"""Values that hold a secret, ``§`` in each."""

HARMLESS_KEYS: dict[str, Any] = {
    "max_tokens": 100, "tokenizer": "cl100k_base", "primary_key": "id", "author": "Ann Example",
    "auth_mode": "none", "session_timeout": 777, "key_field": "document_id", "eos_token": "</s>",
    "token_limit": 4096, "tokens_per_second": 50, "num_tokens": "12", "stop_token": "<|end|>",
    "public_key": "ssh-ed25519", "routing_key": "jobs.high", "cache_key": "v2", "sort_key": "name",
    "partition_key": "tenant", "secret_name": "db-login", "password_file": "/run/secrets/db",
    "token_file": "/var/run/token", "api_key_env": "OPENAI_API_KEY", "token_url": "http://h/token",
    "auth_type": "oauth2", "auth_url": "http://h/auth", "auth": "none", "session_id": "demo",
    "sessions": 5, "session_dir": "/var/s", "cookie_name": "sid", "cookie_domain": "example.com",
    "pin_memory": True, "private_network": "10.0.0.0/8", "is_private": True, "otp_length": 6,
    "pass_through": "yes", "bypass": "internal", "compass": "north", "first_pass": "fast",
    "key_prefix": "app:", "keyboard": "qwerty", "keyword": "search", "keystore": "/etc/k.jks",
    "monkey": "banana", "authority": "example.com", "authors": ["Ann", "Bob"], "signature": "f(x)",
    "passage": "2", "passenger": "Ann", "secretary": "Bob", "input_tokens": 3, "prompt_tokens": 4,
    "token_type": "bearer", "imagePullSecrets": "registry", "key_name": "main", "hash": "crc32",
    "encryption": "aes256", "credential_helper": "store", "certificate": "/etc/cert.pem",
    "max_pass": "3", "role_token": "<|user|>", "input_key": "question", "memory_key": "history",
    "tokenize": "words", "cookies_enabled": True, "password_policy": "strong", "sas_version": "9",
    "pat_example": "docs", "jwt_issuer": "https://idp.example.com", "user": "llamastack",
    "webhook_path": "/hook", "kubeconfig_path": "~/.kube/config", "pinned": "yes",
    "dsn": "sqlite:///x.db", "connection_string": "orders-warehouse-2024-v2",
    "object_key": "models/llama3b8q4.gguf", "access": "read-write", "license": "Apache-2.0",
    "zip_code": "12345", "salt": "none", "hot_key": "ctrl-shift-f12",
    "api_key_header": "X-Api-Key", "token_header": "X-Auth-Token", "auth_header": "Authorization",
    "use_auth": "optional", "db_password": "${DB_PASSWORD}", "proxy_password": "$PROXY_PASSWORD",
    "api_token": "os.environ/API_TOKEN", "hf_token": "<your token>", "smtp_pass": "YOUR_PASSWORD",
    "admin_password": "{{ .Values.password }}", "win_password": "%PASSWORD%",
}  # fmt: skip
HARMLESS_TEXTS: list[str] = [
    "Your token: ask the user", "Password: at least 8 characters", "The password: must be long",
    "Your token : ask the user", "Password : at least 8 characters",
    "Ask for the user's secret: never repeat it", "token budget", "Token budget", "basic usage",
    "Basic Schlüssel für alle", "WIFI:T:nopass;S:a;P:;;",
    "Basic authentication", "Bearer authentication", "bearer of news", "http://host:80/me@home",
    "http://${env.H}:${env.P:=80}/x", "https://example.com/a?page=2&sort=name", "12:30", "a:b",
    "mailto:me@example.com", "Contact:me@example.com", "git@github.com:org/repo.git",
    "ssh://git@github.com/org/repo", "repo/image:tag@sha256:0123456789abcdef", "npm:@scope/pkg@1.2",
    "pkg:name@1.2.3", "docker run -u 1000:1000 x", "run -p 80:80", "gcc -pthread -pedantic",
    "serve --token --verbose", "max_tokens=100 key=5", "key=value", "session=demo", "x = 1",
    "pass: none", "auth=none", "<key>name</key>", "secret:name", "role:auth:read",
    "a password manager", "AUTH required", "AUTH mode none", '{"k": "size", "v": "10"}',
    '{"name": "size", "value": "10"}', "<option value='a1'/>",
    "Use api_key: <your key>", "<b>bold</b>", "<user>Ann</user>", "SELECT key FROM t", "sk-learn",
    "scikit-learn", "hf_transfer", "ghp", "org/model-7b-instruct",
    "sentence-transformers/all-MiniLM",
    "meta-llama/Llama-3.2-3B-Instruct", "all-MiniLM-L6-v2", "/var/lib/app/data.db", "~/.cache/x",
    "sqlite:///data.db", "http://localhost:8080/v1", "localhost:5432", "10.0.0.1:80", "[::1]:80",
    "You are a helpful assistant.", "Answer in one sentence; be kind.", "2024-01-01T00:00:00Z",
    "1.2.3.4", "v1.2.3", "sha256:0123456789abcdef0123456789abcdef",
    "3b5f2c1e-9a8d-4c7b-8e6f-0a1b2c3d4e5f",
    "application/json", "text/plain; charset=utf-8", "Accept: text/plain", "en-US", "UTF-8", "key",
    "password", "secret", "token", "tokens", "auth", "Enter your password", "no secrets here",
    "Authorization", "X-Request-Id: 17", "Europe/Berlin", "gpt-4o-mini", "claude-3-5-sonnet",
    "^[a-z]+$", "*.example.com", "SELECT * FROM users WHERE id = :id", "cpu=2,memory=4Gi",
    "key: value pairs are split", "The key: read slowly", "level=info msg=started", "a=b&c=d",
    "token -> embedding", "password -> sha256sum", "password → pbkdf2sha256",
    "DSN=db1.us-east2.net",
    "at http://h:8080 ask me2@x.org/", "http://h:8080, or u1@h/", "fd00:5432:abcd:ef01:23ab:6789",
    "00:5432:aa:bb:c1c2d3d4", "zip -r a1 b2", "ssh -p 2222 -N h1", "curl -k https://h1/x2",
    "name: size\nvalue: 10", "echo done | tee log1",
    "h:5432:orders:reader:latest", "org/model@h:v1", "see a/b@host",
    "echo $1$2", "key: llama-3-8b-instruct", "https://h/?code=200", "actions/checkout@v4",
    "https://ann42@h/a.git", "https://h/a8f5f167f44f4964e6c998dee827110c/x.bin",
    "MetaLlama31For8BInstruct2", "getCompletionOfModel2ForV1Llama3", "python -utf8",
    "docker run -u1000:1000 x", "password=(not set)", "token = SecretStr(value)",
    "see a/password:new",
    "tokens org/Llama-3.2-3B-Instruct", "https://h/hooks/pre-commit-2024-v2",
    "H100-80GB-SXM5/A100-40GB-PCIe/L40S-48GB", "https://h/?next=%2Fa%3Ftab%3D2", "a &amp; b",
    "password={db_password}", "<entry key='color'>red7</entry>",
    "<name>size</name><value>10</value>",
    "/nix/store/s66mzxpvicwk07gjbjfw9izjfa797vsw-hello-2.12", "API key: ask your admin2",
    "01ARZ3NDEKTSV4RRFFQ69G5FAV", "Your password is: required",
    "0b7c22a6b14a4c1f9d3e07b10b7c22a6b14a4c1f", "set -e TOKEN", "密码\uff1a必填",
    "key rotation-every-90-days", "docker run -p 8080:80 redis-cli",
    "Authorization: See RFC7235", "('size', '10px')", "f('token', 'sha256', 1)",
    "authorization of user-17a", "TOKEN=$TOKEN", "export API_KEY=${API_KEY}", "cmd --api-key $KEY",
    "Authorization: Bearer ${TOKEN}", "cmd --token ${TOKEN} -v",
    "PASSWORD=%PASSWORD%",
    "password={{ .Values.password }}", "cmd --password {{ password }}", "token: <token>",
    "--token <TOKEN>", "api_key: <YOUR_API_KEY>", "api_key=YOUR_API_KEY", "Bearer YOUR_TOKEN",
    "Authorization: Bearer <token>", "password: required", "token: missing", "api_key: string",
    "secret: SecretStr", "sk-learn-classifier-model-v2",
    "Token classification-v2", "Basic model-7b-v2", "basic model-v1.5",
    "the secret: 42 is the answer", "a token: e.g. word2vec", "PASS: 12 FAIL: 3", "pass=3 fail=0",
    '{"password": null}', '{"token": true}', '{"api_key": "${API_KEY}"}',
    "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "api_key_header: X-Api-Key", "auth_header=Authorization",
]  # fmt: skip
HARMLESS: list[Any] = [
    {"args": ["docker", "run", "-p", "8080:80"]},
    {"valueFrom": {"secretKeyRef": {"name": "db-login", "key": "postgres-password"}}},
    {"secretKeyRef": {"key": "db-password-1", "name": "db-login", "optional": True}},
    *({key: value} for key, value in HARMLESS_KEYS.items()),
    *({"note": text} for text in HARMLESS_TEXTS),
]
"""Values that hold no secret."""
