#!/usr/bin/env python3
"""Writes testdata/case: the incident that testdata/README.md tells, in the S3 key layout.

    python3 testdata/make_case.py            write it
    python3 testdata/make_case.py --check    say what differs from what is committed
"""

import hashlib
import json
import sys
from collections import Counter, defaultdict
from datetime import datetime, timedelta, timezone
from pathlib import Path

import noise
from cloudtrail import (
    Dice, Role, Session, User, at, delivery, dumps, guid, iso, log_key, record, us_date, word,
)
from noise import CHROME, CI, DATA, EXPORTS, PROD, bucket, s3_data, s3_object
from writing import gz, write_or_check

FIRST, LAST = at("13 06:00:00"), at("15 18:00:00")
THIEF, THIEF_HOME, THIEF_V6 = "203.0.113.77", "203.0.113.78", "2001:db8:4f3c::1a"
OUTSIDER = "123456789012"
KALI = "aws-cli/1.22.34 Python/3.10.6 Linux/6.6.9-kali-amd64 botocore/1.23.34"
KALI_BOTO = "Boto3/1.20.34 Python/3.10.6 Linux/6.6.9-kali-amd64 Botocore/1.23.34"
BACKDOOR = User(PROD, "svc-backup-agent", "AKIAI44QH8DHBEXAMPLE")
ADMIN = Role(DATA, "data-platform-admin")
READER = Role(DATA, "data-export-reader")
GROUP, VOLUME, SNAPSHOT = "sg-0123456789abcdef0", "vol-049df61146c4d7901", "snap-066877671789bd71b"
TRAIL = noise.AUDIT_TRAIL


def denied(who: str, action: str, resource: str, why: str | None = None) -> tuple[str, str]:
    """AWS's wording of a denial (IAM user guide, "Troubleshoot access denied error messages")."""
    why = why or f"because no identity-based policy allows the {action} action"
    return "AccessDenied", f"User: {who} is not authorized to perform: {action} on resource: {resource} {why}"


def unauthorised(who: str, action: str, resource: str, *label) -> tuple[str, str]:
    """EC2's wording, with its encoded message."""
    encoded = word("ABCDEFabcdef0123456789-_", 220, "encoded", action, *label)
    return ("Client.UnauthorizedOperation",
            f"You are not authorized to perform this operation. User: {who} is not authorized to perform: "
            f"{action} on resource: {resource} because no identity-based policy allows the {action} action. "
            f"Encoded authorization failure message: {encoded}")


def iam_user(user: User, when: datetime) -> dict:
    return {"user": {"path": "/", "userName": user.name, "userId": user.id, "arn": user.arn,
                     "createDate": us_date(when)}}


def leaked_key() -> list[dict]:
    """02:11 to 02:27: the CI user's key in new hands; what it may do and what not."""
    def call(clock, api, request=None, response=None, error=None, region="us-east-1", **more):
        return record(CI, at("14 " + clock), api, ip=THIEF, agent=KALI, region=region, request=request,
                      response=response, error=error, **more)

    me = CI.arn
    scp = ("with an explicit deny in a service control policy: "
           f"arn:aws:organizations::{noise.OWNER}:policy/o-exampleorgid/service_control_policy/p-examplescp01")
    out = [
        call("02:11:07", "sts:GetCallerIdentity"),
        call("02:11:52", "iam:GetUser"),
        call("02:12:03", "iam:ListAttachedUserPolicies", {"userName": CI.name}),
        call("02:12:10", "iam:ListUserPolicies", {"userName": CI.name}),
        call("02:12:31", "iam:ListUsers", error=denied(me, "iam:ListUsers", f"arn:aws:iam::{PROD}:user/")),
        call("02:12:58", "iam:ListRoles"),
        call("02:13:20", "iam:GetAccountAuthorizationDetails",
             error=denied(me, "iam:GetAccountAuthorizationDetails", "*")),
        call("02:13:44", "s3:ListBuckets", {"Host": "s3.us-east-1.amazonaws.com"},
             more={"additionalEventData": s3_data("leak", bytes_out=2711)}),
        call("02:14:05", "secretsmanager:ListSecrets",
             error=("AccessDeniedException", denied(me, "secretsmanager:ListSecrets", "*")[1])),
        call("02:14:19", "secretsmanager:GetSecretValue", {"secretId": "prod/orders/db"},
             error=("AccessDeniedException",
                    denied(me, "secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:us-east-1:{PROD}"
                           ":secret:prod/orders/db-Xk39Qz")[1])),
        call("02:14:41", "ssm:GetParametersByPath", {"path": "/", "recursive": True, "withDecryption": True},
             error=("AccessDeniedException",
                    denied(me, "ssm:GetParametersByPath", f"arn:aws:ssm:us-east-1:{PROD}:parameter/")[1])),
        call("02:15:30", "organizations:DescribeOrganization",
             error=("AccessDeniedException",
                    "You don't have permissions to access this resource.")),
        call("02:16:02", "cloudtrail:DescribeTrails", {"trailNameList": [], "includeShadowTrails": True}),
        call("02:16:20", "guardduty:ListDetectors",
             error=("AccessDeniedException", denied(me, "guardduty:ListDetectors", "*")[1])),
    ]
    for k, region in enumerate(("us-east-1", "eu-central-1", "ap-southeast-2")):
        error = None
        if region == "ap-southeast-2":
            code, text = unauthorised(me, "ec2:DescribeInstances", "*", region)
            error = (code, text.replace(
                "because no identity-based policy allows the ec2:DescribeInstances action", scp))
        out.append(call(f"02:17:{10 + 7 * k}", "ec2:DescribeInstances",
                        {"instancesSet": {}, "filterSet": {}}, region=region, error=error))
    run = {"instancesSet": {"items": [{"imageId": "ami-0c55b159cbfafe1f0", "minCount": 4, "maxCount": 4}]},
           "instanceType": "p3.16xlarge", "blockDeviceMapping": {}, "monitoring": {"enabled": False},
           "disableApiTermination": False, "disableApiStop": False,
           "clientToken": guid("token", "run"), "ebsOptimized": False}
    for k, region in enumerate(("us-east-1", "eu-central-1")):
        out.append(call(f"02:20:{5 + 20 * k:02d}", "ec2:RunInstances", run, region=region, read=False,
                        error=unauthorised(me, "ec2:RunInstances", f"arn:aws:ec2:{region}:{PROD}:instance/*", region)))
    for k, name in enumerate(("iam-manager", "orders-admin", "admin")):
        out.append(call(f"02:2{2 + k}:40", "sts:AssumeRole",
                        None, error=denied(me, "sts:AssumeRole", f"arn:aws:iam::{PROD}:role/{name}")))
    return out


def persistence() -> list[dict]:
    """02:31 to 02:40: a user and a key of their own."""
    def call(clock, api, request, response=None, who=CI, **more):
        when = at("14 " + clock)
        return record(who, when, api, ip=THIEF, agent=KALI, request=request, read=False,
                      response=response(when) if callable(response) else response, **more)

    name = {"userName": BACKDOOR.name}
    return [
        call("02:31:05", "iam:CreateUser", name | {"tags": [{"key": "team", "value": "platform"}]},
             lambda t: iam_user(BACKDOOR, t)),
        call("02:31:33", "iam:AttachUserPolicy",
             name | {"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
        call("02:32:02", "iam:CreateAccessKey", name, lambda t: {"accessKey": {
            "accessKeyId": BACKDOOR.key, "status": "Active", "userName": BACKDOOR.name,
            "createDate": us_date(t)}}),
        call("02:32:48", "iam:CreateLoginProfile", name | {"passwordResetRequired": False},
             lambda t: {"loginProfile": {"userName": BACKDOOR.name, "createDate": us_date(t),
                                         "passwordResetRequired": False}}),
        record(BACKDOOR, at("14 02:35:19"), "sts:GetCallerIdentity", ip=THIEF, agent=KALI),
        record(BACKDOOR, at("14 02:36:40"), "iam:ListUsers", ip=THIEF, agent=KALI),
        record(BACKDOOR, at("14 02:37:02"), "secretsmanager:ListSecrets", ip=THIEF, agent=KALI,
               request={"maxResults": 100}),
        record(BACKDOOR, at("14 02:37:25"), "secretsmanager:GetSecretValue", ip=THIEF, agent=KALI,
               request={"secretId": "prod/orders/db"}),
        kms_for_secret(at("14 02:37:25")),
        call("02:38:11", "iam:UpdateAssumeRolePolicy",
             {"roleName": "orders-service", "policyDocument": dumps({
                 "Version": "2012-10-17", "Statement": [
                     {"Effect": "Allow", "Action": "sts:AssumeRole",
                      "Principal": {"Service": "ec2.amazonaws.com"}},
                     {"Effect": "Allow", "Action": "sts:AssumeRole",
                      "Principal": {"AWS": f"arn:aws:iam::{OUTSIDER}:root"}}]})}, who=BACKDOOR),
    ]


def kms_for_secret(when: datetime) -> dict:
    secret = f"arn:aws:secretsmanager:us-east-1:{PROD}:secret:prod/orders/db-Xk39Qz"
    who = BACKDOOR.identity() | {"invokedBy": "secretsmanager.amazonaws.com"}
    return record(who, when, "kms:Decrypt", ip="secretsmanager.amazonaws.com",
                  agent="secretsmanager.amazonaws.com", version="1.08",
                  request={"encryptionAlgorithm": "SYMMETRIC_DEFAULT", "encryptionContext": {
                      "SecretARN": secret, "SecretVersionId": guid("version", secret)}},
                  more={"resources": [{"accountId": PROD, "type": "AWS::KMS::Key", "ARN": noise.DB_KEY}]})


def assume(parent, session: Session, ip: str, hours: int = 1) -> list[dict]:
    """An AssumeRole; across accounts AWS delivers it to both, joined by sharedEventID."""
    request = {"roleArn": session.role.arn, "roleSessionName": session.name, "durationSeconds": 3600 * hours}
    resources = [{"accountId": session.account, "type": "AWS::IAM::Role", "ARN": session.role.arn}]
    shared = guid("shared", session.key)
    common = dict(ip=ip, agent=KALI, version="1.08", request=request, response=session.credentials(hours))
    out = [record(parent, session.created, "sts:AssumeRole", **common,
                  more={"resources": resources, "sharedEventID": shared})]
    if parent.account != session.account:
        caller = {"type": "AWSAccount", "principalId": parent.identity()["principalId"], "accountId": parent.account}
        out.append(record(caller, session.created, "sts:AssumeRole", **common, account=session.account,
                          more={"resources": resources, "sharedEventID": shared,
                                "requestID": out[0]["requestID"]}))
    return out


def across() -> list[dict]:
    """02:44 to 03:02: into the data account, one role further, and out with the exports."""
    admin = Session(ADMIN, "backup", at("14 02:44:12"))
    reader = Session(READER, "backup", at("14 02:49:30"))
    out = assume(BACKDOOR, admin, THIEF)
    for k, (api, request) in enumerate([
        ("sts:GetCallerIdentity", None),
        ("s3:ListBuckets", {"Host": "s3.us-east-1.amazonaws.com"}),
        ("s3:GetBucketPolicy", {"bucketName": EXPORTS, "Host": f"{EXPORTS}.s3.us-east-1.amazonaws.com",
                                "policy": ""}),
        ("iam:ListRoles", None),
    ]):
        out.append(record(admin, at("14 02:45:00") + timedelta(seconds=41 * k), api, ip=THIEF, agent=KALI,
                          request=request))
    out += assume(admin, reader, THIEF)
    host = f"{EXPORTS}.s3.us-east-1.amazonaws.com"
    for k in range(3):
        out.append(record(reader, at("14 02:50:10") + timedelta(seconds=3 * k), "s3:ListObjects", ip=THIEF_V6,
                          agent=f"[{KALI_BOTO}]", category="Data", version="1.10", label=k,
                          request={"list-type": "2", "bucketName": EXPORTS, "prefix": "customers/",
                                   "encoding-type": "url", "Host": host},
                          more={"additionalEventData": s3_data("list", k, bytes_out=211_034),
                                "resources": [{"type": "AWS::S3::Object",
                                               "ARNPrefix": f"arn:aws:s3:::{EXPORTS}/customers/"},
                                              bucket(EXPORTS, DATA)], "host": host}))
    dice, t = Dice("exfiltration"), at("14 02:51:00")
    for k in range(96):
        t += timedelta(seconds=2 + dice.below(9))
        day = 13 if k < 6 else 1 + (k - 6) // 8
        key = f"customers/dt=2024-05-{day:02d}/part-{k % 6 if k < 6 else (k - 6) % 8:05d}.parquet"
        error = None
        if k == 17:
            error = ("SlowDown", "Please reduce your request rate.")
        out.append(s3_object(reader, t, "s3:GetObject", EXPORTS, DATA, key, THIEF_V6, KALI_BOTO,
                             48_000_000 + dice.below(3_000_000), error=error))
    # Six hours later: the session is revoked by then.
    why = "with an explicit deny in an identity-based policy"
    key = "customers/dt=2024-05-14/part-00000.parquet"
    late = Session(READER, "backup", at("14 08:05:00"))
    out += assume(BACKDOOR, late, THIEF)
    for k in range(4):
        out.append(s3_object(late, at("14 09:02:11") + timedelta(seconds=30 * k), "s3:GetObject", EXPORTS, DATA,
                             key, THIEF_V6, KALI_BOTO, 0,
                             error=denied(late.arn, "s3:GetObject", f'"arn:aws:s3:::{EXPORTS}/{key}"', why)))
    return out


def console() -> list[dict]:
    """03:05 to 03:41: the console without MFA, an open port, a shared snapshot, the trail stopped."""
    failed = noise.console_login(BACKDOOR, at("14 03:04:40"), THIEF_HOME, CHROME, False,
                                 error="Failed authentication")
    login = noise.console_login(BACKDOOR, at("14 03:05:16"), THIEF_HOME, CHROME, False)
    session = BACKDOOR.session(at("14 03:05:16"), False)
    out = [failed, login]

    def click(clock, api, request=None, response=None, **more):
        return record(session, at("14 " + clock), api, ip=THIEF_HOME, agent=CHROME, request=request,
                      response=response, more=more.pop("more", {}) | {"sessionCredentialFromConsole": "true"},
                      **more)

    done = {"requestId": guid("ec2", "done"), "_return": True}
    permission = {"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "groups": {}, "ipRanges":
                  {"items": [{"cidrIp": "0.0.0.0/0", "description": "temp"}]}, "ipv6Ranges": {},
                  "prefixListIds": {}}
    rule = {"groupOwnerId": PROD, "groupId": GROUP, "securityGroupRuleId": "sgr-0aaaabbbbccccdddd",
            "description": "temp", "isEgress": False, "ipProtocol": "tcp", "fromPort": 22, "toPort": 22,
            "cidrIpv4": "0.0.0.0/0"}
    share = {"snapshotId": SNAPSHOT, "attributeType": "CREATE_VOLUME_PERMISSION",
             "createVolumePermission": {"add": {"items": [{"userId": OUTSIDER}]}}}
    org_trail = f"arn:aws:cloudtrail:us-east-1:{noise.OWNER}:trail/org-trail"
    created = int(at("14 03:18:30").timestamp() * 1000)
    out += [
        click("03:06:02", "ec2:DescribeInstances", {"maxResults": 100, "instancesSet": {}, "filterSet": {}}),
        click("03:07:40", "ec2:DescribeSecurityGroups", {"maxResults": 1000, "securityGroupSet": {},
                                                         "securityGroupIdSet": {}, "filterSet": {}}),
        click("03:12:21", "ec2:AuthorizeSecurityGroupIngress",
              {"groupId": GROUP, "ipPermissions": {"items": [permission]}},
              done | {"securityGroupRuleSet": {"items": [rule]}}, read=False),
        click("03:16:05", "ec2:DescribeVolumes", {"volumeSet": {}, "filterSet": {}, "maxResults": 500}),
        click("03:18:30", "ec2:CreateSnapshot", {"volumeId": VOLUME, "description": "weekly"},
              {"requestId": guid("ec2", "snap"), "snapshotId": SNAPSHOT, "volumeId": VOLUME,
               "status": "pending", "startTime": created, "progress": "", "ownerId": PROD,
               "volumeSize": "200", "description": "weekly", "encrypted": False}, read=False),
        click("03:24:09", "ec2:ModifySnapshotAttribute", share, done, read=False),
        click("03:29:55", "cloudtrail:PutEventSelectors",
              {"trailName": org_trail, "advancedEventSelectors": []}, read=False,
              error=("AccessDeniedException",
                     denied(BACKDOOR.arn, "cloudtrail:PutEventSelectors",
                            org_trail,
                            "with an explicit deny in a service control policy")[1])),
        click("03:31:40", "cloudtrail:StopLogging", {"name": TRAIL}, read=False),
        click("03:33:02", "cloudtrail:DescribeTrails", {"trailNameList": [], "includeShadowTrails": True}),
    ]
    nobody = {"accountId": PROD, "invokedBy": "ec2.amazonaws.com"}
    out.append(record(nobody, at("14 03:40:51"), "ec2:SharedSnapshotVolumeCreated", account=PROD, version="1.08",
                      ip="ec2.amazonaws.com", agent="ec2.amazonaws.com", kind="AwsServiceEvent", read=False,
                      more={"serviceEventDetails": {"snapshotId": SNAPSHOT, "snapshotOwnerId": PROD,
                                                    "volumeOwnerId": OUTSIDER}}))
    return out


def response() -> list[dict]:
    """08:10 to 09:30: an analyst sees it; the keys, the user, the port and the share go."""
    out: list[dict] = []
    look = noise.single_sign_on(noise.AUDIT, "maria.rossi@example.com", at("14 08:10:27"), out)
    act = noise.single_sign_on(noise.RESPONSE, "maria.rossi@example.com", at("14 08:21:02"), out)
    data = noise.single_sign_on(noise.RESPONSE_DATA, "maria.rossi@example.com", at("14 08:48:15"), out)

    def step(who, clock, api, request=None, response=None, **more):
        return record(who, at("14 " + clock), api, ip=noise.VPN, agent=CHROME, request=request, response=response,
                      more={"sessionCredentialFromConsole": "true"}, **more)

    for k in range(7):
        out.append(step(look, f"08:1{2 + k}:09", "cloudtrail:LookupEvents",
                        {"maxResults": 50, "lookupAttributes": [
                            {"attributeKey": "AccessKeyId", "attributeValue": [CI.key, BACKDOOR.key][k % 2]}]}))
    out.append(step(look, "08:19:31", "guardduty:GetFindings",
                    {"detectorId": "12abc34d567e8fa901bc2d34e56789f0", "findingIds": [word("0123456789abcdef", 32, "f")]}))
    name, ci = {"userName": BACKDOOR.name}, {"userName": CI.name}
    revoke = dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Action": ["*"], "Resource": ["*"],
         "Condition": {"DateLessThan": {"aws:TokenIssueTime": "2024-05-14T08:50:00.000Z"}}}]})
    deny_rule = {"groupId": GROUP, "ipPermissions": {"items": [
        {"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "groups": {}, "ipv6Ranges": {}, "prefixListIds": {},
         "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0", "description": "temp"}]}}]}}
    unshare = {"snapshotId": SNAPSHOT, "attributeType": "CREATE_VOLUME_PERMISSION",
               "createVolumePermission": {"remove": {"items": [{"userId": OUTSIDER}]}}}
    done = {"requestId": guid("ec2", "mended"), "_return": True}
    for who, clock, api, request, answer in [
        (act, "08:22:10", "iam:UpdateAccessKey", ci | {"status": "Inactive", "accessKeyId": CI.key}, None),
        (act, "08:23:05", "iam:UpdateAccessKey", name | {"status": "Inactive", "accessKeyId": BACKDOOR.key}, None),
        (act, "08:24:40", "iam:DeleteLoginProfile", name, None),
        (act, "08:25:12", "iam:DetachUserPolicy",
         name | {"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}, None),
        (act, "08:27:30", "ec2:RevokeSecurityGroupIngress", deny_rule,
         done | {"unknownIpPermissionSet": {}, "revokedSecurityGroupRuleSet": {"items": [
             {"securityGroupRuleId": "sgr-0aaaabbbbccccdddd", "groupId": GROUP, "isEgress": False,
              "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIpv4": "0.0.0.0/0"}]}}),
        (act, "08:31:18", "ec2:ModifySnapshotAttribute", unshare, done),
        (act, "08:41:00", "cloudtrail:StartLogging", {"name": TRAIL}, None),
        (data, "08:50:33", "iam:PutRolePolicy", {"roleName": READER.name, "policyName":
                                                 "AWSRevokeOlderSessions", "policyDocument": revoke}, None),
        (data, "08:51:20", "iam:PutRolePolicy", {"roleName": ADMIN.name, "policyName":
                                                 "AWSRevokeOlderSessions", "policyDocument": revoke}, None),
        (act, "09:20:44", "iam:DeleteAccessKey", name | {"accessKeyId": BACKDOOR.key}, None),
        (act, "09:21:02", "iam:DeleteUser", name, None),
        (act, "09:22:37", "iam:DeleteAccessKey", ci | {"accessKeyId": CI.key}, None),
        (act, "09:30:05", "iam:UpdateAssumeRolePolicy",
         {"roleName": "orders-service", "policyDocument": dumps({
             "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                                                     "Principal": {"Service": "ec2.amazonaws.com"}}]})}, None),
    ]:
        out.append(step(who, clock, api, request, answer, read=False))
    return out


def insights() -> list[dict]:
    """CloudTrail Insights on the burst of denials."""
    out, shared = [], guid("shared", "insight")
    average, burst = 0.0018518519, 0.9333333333
    for state, clock in (("Start", "02:13:00"), ("End", "02:25:00")):
        statistics: dict = {"baseline": {"average": average}, "insight": {"average": burst},
                            "insightDuration": 1 if state == "Start" else 12, "baselineDuration": 10080}
        attributions = [{"attribute": a, "insight": [{"value": v, "average": burst}],
                         "baseline": [{"value": b, "average": average}]} for a, v, b in (
            ("userIdentityArn", CI.arn, noise.GLUE.arn), ("userAgent", KALI, noise.BOTO))]
        out.append({
            "eventVersion": "1.08", "eventTime": f"2024-05-14T{clock}Z", "awsRegion": "us-east-1",
            "eventID": guid("insight", state), "eventType": "AwsCloudTrailInsight",
            "recipientAccountId": PROD, "sharedEventID": shared,
            "insightDetails": {"state": state, "eventSource": "iam.amazonaws.com", "eventName": "ListUsers",
                               "insightType": "ApiErrorRateInsight", "errorCode": "AccessDenied",
                               "insightContext": {"statistics": statistics, "attributions": attributions}},
            "eventCategory": "Insight"})
    return out


def network() -> list[dict]:
    """The reader's session tried from inside a VPC: the endpoint's policy denied it."""
    out = []
    for k, (service, name) in enumerate((("kms", "Decrypt"), ("s3", "GetObject"))):
        when = at("14 03:01:20") + timedelta(seconds=9 * k)
        endpoint = f"vpce-0{'ab' if k else 'cd'}1234567890123"
        out.append({
            "eventVersion": "1.11", "userIdentity": {"type": "AWSAccount", "principalId":
                                                     f"{READER.id}:backup", "accountId": DATA},
            "eventTime": iso(when), "eventSource": f"{service}.amazonaws.com", "eventName": name,
            "awsRegion": "us-east-1", "sourceIPAddress": "192.0.2.31", "errorCode": "VpceAccessDenied",
            "errorMessage": "The request was denied due to a VPC endpoint policy", "requestParameters": None,
            "responseElements": None, "requestID": guid("vpce", k), "eventID": guid("vpce event", k),
            "eventType": "AwsVpceEvent", "recipientAccountId": PROD,
            "sharedEventID": guid("vpce shared", k), "vpcEndpointId": endpoint,
            "vpcEndpointAccountId": PROD, "eventCategory": "NetworkActivity"})
    return out


def aggregated(records: list[dict]) -> list[dict]:
    """CloudTrail's own five-minute summaries of the data events on the exports."""
    out = []
    for k in range(2):
        start = at("14 02:50:00") + timedelta(minutes=5 * k)
        end = start + timedelta(minutes=5)
        counts = Counter(r["eventName"] for r in records if r["recipientAccountId"] == DATA
                         and r["eventCategory"] == "Data" and iso(start) <= r["eventTime"] < iso(end))
        n = sum(counts.values())
        primary = {"dimension": "eventName",
                   "statistics": [{"name": a, "value": v} for a, v in sorted(counts.items())]}
        arn = f"arn:aws:sts::{DATA}:assumed-role/{READER.name}/backup"
        details = [("resourceARN", f"arn:aws:s3:::{EXPORTS}"), ("userIdentity", arn),
                   ("userAgent", f"[{KALI_BOTO}]"), ("sourceIpAddress", THIEF_V6)]
        out.append({
            "eventVersion": "1.0", "accountId": DATA, "eventId": guid("aggregated", k),
            "eventCategory": "Aggregated", "eventType": "AwsAggregatedEvent", "awsRegion": "us-east-1",
            "eventSource": "s3.amazonaws.com",
            "timeWindow": {"windowStart": f"{start:%Y-%m-%d %H:%M:%S}", "windowEnd": f"{end:%Y-%m-%d %H:%M:%S}",
                           "windowSize": "PT5M"},
            "summary": {"primaryDimension": primary | {"aggregationType": "Count"},
                        "details": [{"dimension": d, "statistics": [{"name": v, "value": n}],
                                     "aggregationType": "Count"} for d, v in details]}})
    return out


def window(t: datetime) -> timedelta:
    """How long CloudTrail gathers before it delivers: coarse by day, finer around the incident."""
    busy = at("14 02:00") <= t < at("14 03:45") or at("14 08:00") <= t < at("14 09:45")
    return timedelta(minutes=15) if busy else timedelta(hours=3)


def deliveries(records: list[dict]) -> dict[str, bytes]:
    """Log files: by account, region and window, in no order within a file, as AWS delivers."""
    groups = defaultdict(list)
    for r in records:
        t = datetime.strptime(r["eventTime"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
        step = int(window(t).total_seconds())
        end = datetime.fromtimestamp(int(t.timestamp()) // step * step + step, timezone.utc)
        kind = {"Insight": "CloudTrail-Insight", "NetworkActivity": "CloudTrail-NetworkActivity"}.get(
            r["eventCategory"], "CloudTrail")
        groups[r["recipientAccountId"], kind, r["awsRegion"], end + timedelta(minutes=5)].append(r)
    out = {}
    for (account, kind, region, when), rs in groups.items():
        out[log_key(account, kind, region, when)] = delivery(Dice("order", account, region, when).shuffled(rs))
    return out


def again(files: dict[str, bytes]) -> dict[str, bytes]:
    """What happens in real buckets: one file delivered twice, and one that comes a day late."""
    twice = next(k for k in sorted(files) if f"{PROD}_CloudTrail_us-east-1_20240514T0235Z" in k)
    late = next(k for k in sorted(files) if f"{PROD}_CloudTrail_eu-central-1_20240513T1205Z" in k)
    out = dict(files)
    out[log_key(PROD, "CloudTrail", "us-east-1", at("14 02:50"), "again")] = files[twice]
    out[log_key(PROD, "CloudTrail", "eu-central-1", at("14 11:20"), "late")] = out.pop(late)
    return out


def digest_file(files: dict[str, bytes]) -> tuple[str, bytes]:
    """The digest of one hour, as CloudTrail writes it; it is no log file."""
    end = at("14 03:02:41")
    name = f"{PROD}_CloudTrail_us-east-1_20240514T"
    hour = [k for k in sorted(files) if name in k and "0205" <= k.split(name)[1][:4] <= "0302"]
    times = {k: sorted(r["eventTime"] for r in json.loads(files[k])["Records"]) for k in hour}
    key = (f"AWSLogs/o-exampleorgid/{PROD}/CloudTrail-Digest/us-east-1/{end:%Y/%m/%d}/"
           f"{PROD}_CloudTrail-Digest_us-east-1_org-trail_us-east-1_{end:%Y%m%dT%H%M%SZ}.json.gz")
    body = {
        "awsAccountId": PROD, "digestStartTime": iso(end - timedelta(hours=1)), "digestEndTime": iso(end),
        "digestS3Bucket": noise.TRAIL_BUCKET, "digestS3Object": key,
        "digestPublicKeyFingerprint": word("0123456789abcdef", 32, "fingerprint"),
        "digestSignatureAlgorithm": "SHA256withRSA",
        "newestEventTime": max(t[-1] for t in times.values()),
        "oldestEventTime": min(t[0] for t in times.values()),
        "previousDigestS3Bucket": None, "previousDigestS3Object": None, "previousDigestHashValue": None,
        "previousDigestHashAlgorithm": None, "previousDigestSignature": None,
        "logFiles": [{"s3Bucket": noise.TRAIL_BUCKET, "s3Object": k,
                      "hashValue": hashlib.sha256(files[k]).hexdigest(), "hashAlgorithm": "SHA-256",
                      "newestEventTime": times[k][-1], "oldestEventTime": times[k][0]} for k in hour]}
    return key, dumps(body).encode()


def build() -> dict[str, bytes]:
    story = leaked_key() + persistence() + across() + console() + response()
    records = noise.everything(FIRST, LAST) + story + insights() + network()
    files = again(deliveries(records))
    key, body = digest_file(files)
    files[key] = body
    key = log_key(DATA, "CloudTrail-Aggregated", "us-east-1", at("14 03:05"))
    files[key] = delivery(aggregated(records))
    return {name: gz(data) for name, data in files.items()}


if __name__ == "__main__":
    root = Path(__file__).resolve().parent / "case"
    sys.exit(write_or_check(root, build(), "--check" in sys.argv[1:]))
