"""Builds CloudTrail records of our own making, as AWS writes them.

Only documentation identities: AWS's example accounts, the address blocks of RFC 5737 and RFC 3849,
key ids that end in EXAMPLE. Field by field after AWS's "CloudTrail record contents" and
"CloudTrail userIdentity element" pages. No randomness: everything that looks random is a hash of
what it stands for, so the same script always gives the same bytes.
"""

import hashlib
import json
from datetime import datetime, timedelta, timezone

BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

TLS13 = ("TLSv1.3", "TLS_AES_128_GCM_SHA256")
TLS12 = ("TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256")


def digest(*parts: object) -> bytes:
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()


def word(alphabet: str, length: int, *parts: object) -> str:
    """`length` letters of `alphabet` that depend on `parts` alone."""
    out, block, n = [], b"", 0
    while len(out) < length:
        if not block:
            block, n = digest(*parts, n), n + 1
        out.append(alphabet[block[0] % len(alphabet)])
        block = block[1:]
    return "".join(out)


def guid(*parts: object) -> str:
    h = bytearray(digest("guid", *parts)[:16])
    h[6], h[8] = h[6] & 0x0F | 0x40, h[8] & 0x3F | 0x80
    x = h.hex()
    return f"{x[:8]}-{x[8:12]}-{x[12:16]}-{x[16:20]}-{x[20:]}"


def key_id(prefix: str, *parts: object) -> str:
    """An access key id: the prefix, nine letters, EXAMPLE."""
    return prefix + word(BASE32, 9, "key", prefix, *parts) + "EXAMPLE"


def unique_id(prefix: str, *parts: object) -> str:
    """A principal's unique id: the prefix, ten letters, EXAMPLE."""
    return prefix + word(BASE32, 10, "principal", prefix, *parts) + "EXAMPLE"


def iso(t: datetime) -> str:
    return t.strftime("%Y-%m-%dT%H:%M:%SZ")


def us_date(t: datetime) -> str:
    """`May 14, 2024, 2:31:05 AM`, as the JDK since 2024 writes it: U+202F before AM."""
    return f"{t:%b} {t.day}, {t.year}, {(t.hour - 1) % 12 + 1}:{t:%M:%S}\u202f{t:%p}"


def at(text: str) -> datetime:
    """`14 02:11:07` → that time in May 2024, UTC."""
    day, clock = text.split()
    h, m, s = (clock + ":00").split(":")[:3]
    return datetime(2024, 5, int(day), int(h), int(m), int(s), tzinfo=timezone.utc)


class Dice:
    """A stream of numbers that depends on its name alone, the same on every Python."""

    def __init__(self, *name: object):
        self.name, self.n = name, 0

    def below(self, limit: int) -> int:
        self.n += 1
        return int.from_bytes(digest("dice", *self.name, self.n)[:8], "big") % limit

    def pick(self, items):
        return items[self.below(len(items))]

    def shuffled(self, items: list) -> list:
        out = list(items)
        for i in range(len(out) - 1, 0, -1):
            j = self.below(i + 1)
            out[i], out[j] = out[j], out[i]
        return out


class User:
    """An IAM user and its long-term keys."""

    def __init__(self, account: str, name: str, key: str | None = None):
        self.account, self.name = account, name
        self.id = unique_id("AIDA", account, name)
        self.arn = f"arn:aws:iam::{account}:user/{name}"
        self.key = key or key_id("AKIA", account, name)

    def identity(self, key: str | None = None) -> dict:
        return {
            "type": "IAMUser",
            "principalId": self.id,
            "arn": self.arn,
            "accountId": self.account,
            "accessKeyId": key or self.key,
            "userName": self.name,
        }

    def signing_in(self) -> dict:
        """As in ConsoleLogin: no key yet."""
        who = self.identity()
        del who["accessKeyId"]
        return who

    def session(self, created: datetime, mfa: bool, label: str = "console") -> "UserSession":
        return UserSession(self, created, mfa, label)


class UserSession:
    """A console session of an IAM user: a temporary key that carries the time of the sign-in."""

    def __init__(self, user: User, created: datetime, mfa: bool, label: str):
        self.user, self.created, self.mfa = user, created, mfa
        self.account = user.account
        self.key = key_id("ASIA", user.arn, iso(created), label)

    def identity(self) -> dict:
        return self.user.identity(self.key) | {
            "sessionContext": {
                "sessionIssuer": {},
                "webIdFederationData": {},
                "attributes": {
                    "creationDate": iso(self.created),
                    "mfaAuthenticated": str(self.mfa).lower(),
                },
            }
        }


class Role:
    def __init__(self, account: str, name: str, path: str = "/"):
        self.account, self.name = account, name
        self.id = unique_id("AROA", account, name)
        self.arn = f"arn:aws:iam::{account}:role{path}{name}"


class Session:
    """Credentials that AssumeRole issued."""

    def __init__(self, role: Role, name: str, created: datetime, mfa: bool = False, **more):
        self.role, self.name, self.created, self.mfa, self.more = role, name, created, mfa, more
        self.account = role.account
        self.key = key_id("ASIA", role.arn, name, iso(created))
        self.arn = f"arn:aws:sts::{role.account}:assumed-role/{role.name}/{name}"
        self.assumed_id = f"{role.id}:{name}"

    def identity(self) -> dict:
        role = self.role
        context: dict = {
            "sessionIssuer": {
                "type": "Role",
                "principalId": role.id,
                "arn": role.arn,
                "accountId": role.account,
                "userName": role.name,
            },
            "attributes": {
                "creationDate": iso(self.created),
                "mfaAuthenticated": str(self.mfa).lower(),
            },
        }
        for name in ("webIdFederationData", "sourceIdentity", "ec2RoleDelivery"):
            if name in self.more:
                context[name] = self.more[name]
        who = {
            "type": "AssumedRole",
            "principalId": self.assumed_id,
            "arn": self.arn,
            "accountId": role.account,
            "accessKeyId": self.key,
            "sessionContext": context,
        }
        for name in ("onBehalfOf", "inScopeOf", "credentialId", "invokedBy"):
            if name in self.more:
                who[name] = self.more[name]
        return who

    def credentials(self, hours: int = 1) -> dict:
        """What AssumeRole answers."""
        return {
            "credentials": {
                "accessKeyId": self.key,
                "sessionToken": "IQoJb3JpZ2luX2VjE" + word(ALNUM, 64, "token", self.key),
                "expiration": us_date(self.created + timedelta(hours=hours)),
            },
            "assumedRoleUser": {"assumedRoleId": self.assumed_id, "arn": self.arn},
        }


class Service:
    """A service that acts by itself."""

    def __init__(self, name: str):
        self.name, self.account, self.key = name, None, None

    def identity(self) -> dict:
        return {"type": "AWSService", "invokedBy": self.name}


def host_of(source: str, region: str) -> str:
    service = source.removesuffix(".amazonaws.com")
    if service in ("iam", "organizations"):
        return f"{service}.amazonaws.com"
    return f"{service}.{region}.amazonaws.com"


def record(
    who,
    when: datetime,
    api: str,
    *,
    region: str = "us-east-1",
    ip: str,
    agent: str | None,
    request=None,
    response=None,
    account: str | None = None,
    read: bool | None = None,
    error: tuple[str, str | None] | None = None,
    kind: str = "AwsApiCall",
    category: str = "Management",
    version: str = "1.09",
    tls=TLS13,
    more: dict | None = None,
    label: object = "",
) -> dict:
    """One record in AWS's order of keys. `api` is `iam:CreateUser`."""
    service, name = api.split(":")
    source = f"{service}.amazonaws.com"
    identity = who if isinstance(who, dict) else who.identity()
    recipient = account or (identity.get("accountId") if isinstance(who, dict) else who.account)
    if read is None:
        read = name.startswith(("Get", "List", "Describe", "Lookup", "Head", "Assume", "Decrypt",
                                "GenerateDataKey"))
    seed = (recipient, region, iso(when), api, identity.get("accessKeyId"), label)
    more = dict(more or {})
    r: dict = {
        "eventVersion": version,
        "userIdentity": identity,
        "eventTime": iso(when),
        "eventSource": source,
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": ip,
    }
    if agent is not None:
        r["userAgent"] = agent
    if error:
        r["errorCode"] = error[0]
        if error[1] is not None:
            r["errorMessage"] = error[1]
    r["requestParameters"] = request
    r["responseElements"] = None if error else response
    for field in ("additionalEventData",):
        if field in more:
            r[field] = more.pop(field)
    request_id = more.pop("requestID", None)
    if request_id is None:
        request_id = word(UPPER, 16, "request", *seed) if service == "s3" else guid("request", *seed)
    if kind not in ("AwsConsoleSignIn", "AwsServiceEvent"):
        r["requestID"] = request_id
    r["eventID"] = guid("event", *seed)
    r["readOnly"] = read
    if "resources" in more:
        r["resources"] = more.pop("resources")
    r["eventType"] = kind
    if "apiVersion" in more:
        r["apiVersion"] = more.pop("apiVersion")
    r["managementEvent"] = category == "Management"
    r["recipientAccountId"] = recipient
    for field in ("serviceEventDetails", "sharedEventID", "vpcEndpointId", "vpcEndpointAccountId"):
        if field in more:
            r[field] = more.pop(field)
    r["eventCategory"] = category
    outside = not ip.endswith((".amazonaws.com", "Internal"))
    # The console calls through a proxy of AWS's: no TLS details then.
    proxied = "sessionCredentialFromConsole" in more
    if tls and outside and not proxied and kind != "AwsServiceEvent":
        host = more.pop("host", None) or host_of(source, region)
        r["tlsDetails"] = {
            "tlsVersion": tls[0],
            "cipherSuite": tls[1],
            "clientProvidedHostHeader": host,
        }
    more.pop("host", None)
    r.update(more)
    return r


def dumps(value) -> str:
    """Compact JSON, characters as they are."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def delivery(records: list[dict]) -> bytes:
    """The inflated bytes of a delivery file."""
    return ('{"Records":[' + ",".join(map(dumps, records)) + "]}").encode()


def file_name(account: str, kind: str, region: str, when: datetime, *label: object) -> str:
    rand = word(ALNUM, 16, "file", account, kind, region, iso(when), *label)
    return f"{account}_{kind}_{region}_{when:%Y%m%dT%H%MZ}_{rand}.json.gz"


def log_key(account: str, kind: str, region: str, when: datetime, *label: object) -> str:
    """The S3 key of a log file of an organization trail."""
    name = file_name(account, kind, region, when, *label)
    return f"AWSLogs/o-exampleorgid/{account}/{kind}/{region}/{when:%Y/%m/%d}/{name}"
