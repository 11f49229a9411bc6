"""The benign background of the case: services, deployments, people at work."""

from datetime import datetime, timedelta

from cloudtrail import (
    TLS12, Dice, Role, Service, Session, User, at, guid, iso, key_id, record, word,
)

PROD, DATA, OWNER = "111122223333", "444455556666", "777788889999"
OFFICE, VPN, CI_RUNNER, GITHUB = "198.51.100.17", "198.51.100.90", "198.51.100.24", "192.0.2.140"

CI = User(PROD, "ci-deployer", "AKIAIOSFODNN7EXAMPLE")
ANNA = User(PROD, "anna.kowalski")
APP = Role(PROD, "orders-service")
LAMBDA = Role(PROD, "invoice-render-role", "/service-role/")
CONFIG = Role(PROD, "AWSServiceRoleForConfig", "/aws-service-role/config.amazonaws.com/")
CONFIG_DATA = Role(DATA, "AWSServiceRoleForConfig", "/aws-service-role/config.amazonaws.com/")
GLUE = Role(DATA, "nightly-etl", "/service-role/")
GITHUB_ROLE = Role(PROD, "github-deploy")
PATROL = Role(PROD, "cost-patrol")
SSO_PATH = "/aws-reserved/sso.amazonaws.com/eu-central-1/"
DEV = Role(PROD, "AWSReservedSSO_DeveloperAccess_3c9d5e1f7a2b4c60", SSO_PATH)
AUDIT = Role(PROD, "AWSReservedSSO_SecurityAudit_8d1e2f3a4b5c6d7e", SSO_PATH)
RESPONSE = Role(PROD, "AWSReservedSSO_IncidentResponse_0f1e2d3c4b5a6978", SSO_PATH)
RESPONSE_DATA = Role(DATA, "AWSReservedSSO_IncidentResponse_1a2b3c4d5e6f7081", SSO_PATH)

INSTANCES = ["i-0a1b2c3d4e5f60718", "i-0b2c3d4e5f6071829", "i-0c3d4e5f607182930"]
DB_KEY = f"arn:aws:kms:us-east-1:{PROD}:key/1b2c3d4e-5f60-4718-8293-a4b5c6d7e8f9"
LOG_KEY = f"arn:aws:kms:us-east-1:{PROD}:key/9f8e7d6c-5b4a-4392-8170-6f5e4d3c2b1a"
TRAIL_BUCKET = "example-org-cloudtrail"
AUDIT_TRAIL = f"arn:aws:cloudtrail:us-east-1:{PROD}:trail/audit-trail"
GLOBAL = ("iam:", "ce:", "health:", "organizations:")
ORDERS = "example-orders-documents"
EXPORTS = "example-analytics-exports"

CHROME = ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
          "Chrome/124.0.0.0 Safari/537.36")
FIREFOX = "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0"
BOTO = ("Boto3/1.34.98 md/Botocore#1.34.98 ua/2.0 os/linux#6.1.87-99.174.amzn2023.x86_64 "
        "md/arch#x86_64 lang/python#3.11.6 md/pyimpl#CPython cfg/retry-mode#legacy Botocore/1.34.98")
JAVA = ("aws-sdk-java/2.25.40 Linux/6.1.87-99.174.amzn2023.x86_64 OpenJDK_64-Bit_Server_VM/"
        "21.0.3+9-LTS Java/21.0.3 vendor/Amazon.com_Inc. io/async http/NettyNio cfg/retry-mode/standard")
TERRAFORM = ("APN/1.0 HashiCorp/1.0 Terraform/1.8.2 (+https://www.terraform.io) "
             "terraform-provider-aws/5.48.0 (+https://registry.terraform.io/providers/hashicorp/aws) "
             "aws-sdk-go-v2/1.26.1 os/linux lang/go#1.22.2 md/GOOS#linux md/GOARCH#amd64")
CLI = ("aws-cli/2.15.46 md/awscrt#0.19.19 ua/2.0 os/linux#6.5.0-1018-azure md/arch#x86_64 "
       "lang/python#3.11.8 md/pyimpl#CPython cfg/retry-mode#standard md/installer#exe "
       "md/distrib#ubuntu.22 md/prompt#off")
SSM_AGENT = "aws-sdk-go/1.44.260 (go1.20.12; linux; amd64) amazon-ssm-agent/"


def bucket(name: str, account: str) -> dict:
    return {"accountId": account, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{name}"}


def s3_data(*seed, bytes_in: int = 0, bytes_out: int = 0) -> dict:
    """S3's `additionalEventData`."""
    return {
        "SignatureVersion": "SigV4",
        "CipherSuite": "TLS_AES_128_GCM_SHA256",
        "bytesTransferredIn": bytes_in,
        "AuthenticationMethod": "AuthHeader",
        "x-amz-id-2": word("ABCDEFabcdef0123456789+/", 75, "id2", *seed) + "=",
        "bytesTransferredOut": bytes_out,
    }


def instance_session(instance: str, created: datetime) -> Session:
    scope = {"issuerType": "AWS::EC2::Instance",
             "credentialsIssuedTo": f"arn:aws:ec2:us-east-1:{PROD}:instance/{instance}"}
    return Session(APP, instance, created, ec2RoleDelivery="2.0", inScopeOf=scope)


def assumed_by_service(service: str, session: Session, region: str = "us-east-1") -> dict:
    """The AssumeRole by which a service gets the credentials of `session`."""
    request = {"roleArn": session.role.arn, "roleSessionName": session.name}
    return record(Service(service), session.created, "sts:AssumeRole", account=session.account,
                  region=region, ip=service, agent=service, version="1.08", request=request,
                  response=session.credentials(),
                  more={"resources": [{"accountId": session.account, "type": "AWS::IAM::Role",
                                       "ARN": session.role.arn}],
                        "sharedEventID": guid("shared", session.key)})


def instances(start: datetime, end: datetime) -> list[dict]:
    """The orders service on three instances: SSM, KMS, documents in S3."""
    out, dice = [], Dice("instances")
    for n, instance in enumerate(INSTANCES):
        ip = f"192.0.2.{30 + n}"
        t = start + timedelta(minutes=7 * n)
        while t < end:
            session = instance_session(instance, t)
            out.append(assumed_by_service("ec2.amazonaws.com", session))
            steps = dice.below(3) + 3
            for k in range(steps):
                u = t + timedelta(minutes=5 + 47 * k, seconds=dice.below(60))
                if k % 3 == 0:
                    out.append(record(session, u, "ssm:UpdateInstanceInformation", ip=ip,
                                      version="1.08", agent=SSM_AGENT + "3.3.131.0", read=False,
                                      request={"agentVersion": "3.3.131.0", "agentStatus": "Active",
                                               "platformType": "Linux", "instanceId": instance},
                                      response=None))
                else:
                    key = f"orders/2024/05/{u.day:02d}/{100000 + dice.below(900000)}.pdf"
                    api = "s3:GetObject" if dice.below(3) else "s3:PutObject"
                    out.append(s3_object(session, u, api, ORDERS, PROD, key, ip, JAVA,
                                         2000 + dice.below(90000)))
            t += timedelta(hours=5, minutes=dice.below(40))
    return out


def s3_object(who, when, api, name, owner, key, ip, agent, size, *, region="us-east-1",
              version="1.10", error=None, more=None) -> dict:
    """A data event on one object."""
    host = f"{name}.s3.{region}.amazonaws.com"
    put = api == "s3:PutObject"
    response = {"x-amz-server-side-encryption": "aws:kms"} if put else None
    extra = s3_data(when, key, bytes_in=size if put else 0, bytes_out=0 if put or error else size)
    return record(who, when, api, region=region, ip=ip, agent=f"[{agent}]", version=version,
                  request={"bucketName": name, "Host": host, "key": key}, response=response,
                  category="Data", error=error, account=owner, label=key,
                  more={"additionalEventData": extra, "host": host,
                        "resources": [{"type": "AWS::S3::Object",
                                       "ARN": f"arn:aws:s3:::{name}/{key}"},
                                      bucket(name, owner)]} | (more or {}))


def services(start: datetime, end: datetime) -> list[dict]:
    """What AWS's own services do all day."""
    out, dice = [], Dice("services")
    t = start
    while t < end:
        for account, regions in ((PROD, ("us-east-1", "eu-central-1")), (DATA, ("us-east-1",))):
            for region in regions:
                u = t + timedelta(minutes=dice.below(50), seconds=dice.below(60))
                out.append(record(Service("cloudtrail.amazonaws.com"), u, "s3:GetBucketAcl",
                                  region=region, account=account, ip="cloudtrail.amazonaws.com",
                                  agent="cloudtrail.amazonaws.com", version="1.08",
                                  request={"bucketName": f"example-audit-{account}", "acl": "",
                                           "Host": f"example-audit-{account}.s3.us-east-1.amazonaws.com"},
                                  more={"additionalEventData": s3_data(u, bytes_out=1162),
                                        "resources": [bucket(f"example-audit-{account}", account)],
                                        "sharedEventID": guid("shared", account, region, u)}))
        u = t + timedelta(minutes=dice.below(60), seconds=dice.below(60))
        out.append(kms_for_trail(u))
        if t.hour % 3 == 0:
            session = Session(LAMBDA, "invoice-render", u, inScopeOf={
                "sourceArn": f"arn:aws:lambda:us-east-1:{PROD}:function:invoice-render",
                "sourceAccount": PROD, "issuerType": "AWS::Lambda::Function",
                "credentialsIssuedTo": f"arn:aws:lambda:us-east-1:{PROD}:function:invoice-render"})
            out.append(assumed_by_service("lambda.amazonaws.com", session))
            group = "/aws/lambda/invoice-render"
            stream = f"{u:%Y/%m/%d}/[$LATEST]{word('0123456789abcdef', 32, 'stream', u)}"
            out.append(record(session, u + timedelta(seconds=2), "logs:CreateLogStream", ip="192.0.2.61",
                              read=False, version="1.09", agent="awslambda-worker/1.0",
                              request={"logGroupName": group, "logStreamName": stream},
                              more={"apiVersion": "20140328"}))
        if t.hour % 6 == 1:
            out += config_rules(u)
        if t.hour == 3:
            out += backups(u)
            out += etl(u + timedelta(minutes=20))
        t += timedelta(hours=1)
    return out


def kms_for_trail(when: datetime) -> dict:
    folder = f"AWSLogs/{PROD}/CloudTrail/us-east-1/{when:%Y/%m/%d}"
    context = {"aws:cloudtrail:arn": AUDIT_TRAIL,
               "aws:s3:arn": f"arn:aws:s3:::example-audit-{PROD}/{folder}"}
    return record(Service("cloudtrail.amazonaws.com"), when, "kms:GenerateDataKey", account=PROD,
                  ip="cloudtrail.amazonaws.com", agent="cloudtrail.amazonaws.com", version="1.08",
                  request={"keyId": LOG_KEY, "encryptionContext": context, "keySpec": "AES_256"},
                  more={"resources": [{"accountId": PROD, "type": "AWS::KMS::Key", "ARN": LOG_KEY}],
                        "sharedEventID": guid("shared", "kms", when)})


def config_rules(when: datetime) -> list[dict]:
    out = []
    for role, account in ((CONFIG, PROD), (CONFIG_DATA, DATA)):
        session = Session(role, "configLambdaExecution", when, invokedBy="config.amazonaws.com")
        out.append(assumed_by_service("config.amazonaws.com", session))
        for k, (api, request) in enumerate([
            ("ec2:DescribeSecurityGroups", {"securityGroupSet": {}, "securityGroupIdSet": {},
                                            "filterSet": {}}),
            ("iam:ListUsers", {"maxItems": 1000}),
            ("s3:ListBuckets", {"Host": "s3.amazonaws.com"}),
            ("rds:DescribeDBInstances", None),
        ]):
            out.append(record(session, when + timedelta(seconds=3 + k), api,
                              ip="config.amazonaws.com", agent="config.amazonaws.com",
                              version="1.08", request=request))
    return out


def backups(when: datetime) -> list[dict]:
    """RDS's nightly snapshot: service events without a user type."""
    snapshot = f"rds:orders-prod-{when:%Y-%m-%d-%H-%M}"
    nobody = {"accountId": PROD, "invokedBy": "rds.amazonaws.com"}
    details = {"snapshotIdentifier": snapshot, "dbInstanceIdentifier": "orders-prod"}
    return [record(nobody, when + timedelta(minutes=4 * k), "rds:" + name, ip="rds.amazonaws.com",
                   agent="rds.amazonaws.com", kind="AwsServiceEvent", version="1.08", read=False,
                   account=PROD, more={"serviceEventDetails": details | {"status": status}})
            for k, (name, status) in enumerate([("AutomatedSnapshotStarted", "creating"),
                                                ("AutomatedSnapshotCompleted", "available")])]


def etl(when: datetime) -> list[dict]:
    """The analytics account's nightly job writes the exports."""
    session = Session(GLUE, "GlueJobRunnerSession", when)
    out = [assumed_by_service("glue.amazonaws.com", session)]
    for k in range(6):
        key = f"customers/dt={when:%Y-%m-%d}/part-{k:05d}.parquet"
        out.append(s3_object(session, when + timedelta(seconds=40 * k), "s3:PutObject", EXPORTS, DATA,
                             key, "192.0.2.77", "Hadoop 3.3.6, aws-sdk-java/1.12.632", 48_000_000 + k * 11))
    return out


def console_login(user: User, when: datetime, ip: str, agent: str, mfa: bool,
                  region="us-east-1", error: str | None = None) -> dict:
    extra = {"LoginTo": "https://console.aws.amazon.com/console/home?hashArgs=%23&isauthcode=true"
                        "&state=hashArgsFromTB_us-east-1_" + word("0123456789abcdef", 16, when),
             "MobileVersion": "No", "MFAUsed": "Yes" if mfa else "No"}
    if mfa:
        extra["MFAIdentifier"] = f"arn:aws:iam::{user.account}:mfa/{user.name}"
    r = record(user.signing_in(), when, "signin:ConsoleLogin", region=region, ip=ip, agent=agent,
               kind="AwsConsoleSignIn", version="1.08", read=False, account=user.account,
               response={"ConsoleLogin": "Success"},
               more={"additionalEventData": extra, "host": "signin.aws.amazon.com"})
    if error:
        r["errorMessage"] = error
        r["responseElements"] = {"ConsoleLogin": "Failure"}
    return r


CONSOLE_READS = [
    ("ec2:DescribeInstances", {"maxResults": 100, "instancesSet": {}, "filterSet": {}}),
    ("ec2:DescribeSecurityGroups", {"maxResults": 1000, "securityGroupSet": {},
                                    "securityGroupIdSet": {}, "filterSet": {}}),
    ("ec2:DescribeVolumes", {"volumeSet": {}, "filterSet": {}, "maxResults": 500}),
    ("monitoring:DescribeAlarms", {"maxRecords": 100}),
    ("rds:DescribeDBInstances", {"maxRecords": 100}),
    ("s3:ListBuckets", {"Host": "s3.amazonaws.com"}),
    ("lambda:ListFunctions20150331", {"maxItems": 50}),
    ("cloudtrail:LookupEvents", {"maxResults": 50}),
    ("health:DescribeEventAggregates", {"aggregateField": "eventTypeCategory",
                                        "filter": {"eventStatusCodes": ["open", "upcoming"]}}),
    ("logs:DescribeLogGroups", {"limit": 50}),
    ("iam:ListRoles", {"maxItems": 1000}),
    ("ce:GetCostAndUsage", {"TimePeriod": {"Start": "2024-05-01", "End": "2024-05-15"},
                            "Granularity": "DAILY", "Metrics": ["UnblendedCost"]}),
]


def people(first: datetime, last: datetime) -> list[dict]:
    """Working hours: Anna in the console with MFA, developers through single sign-on."""
    out, dice = [], Dice("people")
    day = first.replace(hour=0, minute=0, second=0)
    while day <= last:
        login = day + timedelta(hours=7, minutes=dice.below(40), seconds=dice.below(60))
        if first <= login <= last:
            out.append(console_login(ANNA, login, OFFICE, FIREFOX, True, "eu-central-1"))
            session = ANNA.session(login, True)
            out += browse(session, login, 26, ("eu-central-1", "us-east-1"), OFFICE, FIREFOX, dice)
        for name in ("jan.novak@example.com", "li.wei@example.com"):
            start = day + timedelta(hours=8, minutes=dice.below(90), seconds=dice.below(60))
            if not first <= start <= last:
                continue
            session = single_sign_on(DEV, name, start, out)
            out += browse(session, start, 16, ("us-east-1", "eu-central-1"), VPN, CHROME, dice)
        day += timedelta(days=1)
    return out


def single_sign_on(role: Role, name: str, start: datetime, out: list[dict]) -> Session:
    """A sign-in through IAM Identity Center: SAML, and the session it gives."""
    session = Session(role, name, start, onBehalfOf={
        "userId": guid("person", name),
        "identityStoreArn": f"arn:aws:identitystore::{PROD}:identitystore/d-9067example"})
    who = {"type": "SAMLUser", "principalId": word("0123456789abcdef", 20, "saml", name) + ":" + name,
           "userName": name, "identityProvider": word("0123456789abcdef", 20, "idp") + "="}
    provider = f"arn:aws:iam::{role.account}:saml-provider/AWSSSO_0123456789abcdef_DO_NOT_DELETE"
    out.append(record(who, start, "sts:AssumeRoleWithSAML", account=role.account, ip="192.0.2.200",
                      agent="aws-internal/3 aws-sdk-java/2.25.31 Linux/5.10.215 kotlin/1.9.22",
                      version="1.08", request={"sAMLAssertionID": "_" + guid("saml", name, start),
                                               "roleSessionName": name, "durationSeconds": 28800,
                                               "roleArn": role.arn, "principalArn": provider},
                      response=session.credentials(8) | {
                          "subjectType": "persistent", "subject": name, "audience":
                          "https://signin.aws.amazon.com/saml",
                          "issuer": "https://portal.sso.eu-central-1.amazonaws.com/saml/assertion",
                          "nameQualifier": word("0123456789abcdef", 20, "idp") + "="},
                      more={"resources": [{"accountId": role.account, "type": "AWS::IAM::Role",
                                           "ARN": role.arn},
                                          {"accountId": role.account, "type": "AWS::IAM::SAMLProvider",
                                           "ARN": provider}]}))
    return session


def browse(session, start, count, regions, ip, agent, dice) -> list[dict]:
    out, t = [], start
    for k in range(count):
        t += timedelta(seconds=20 + dice.below(700))
        api, request = dice.pick(CONSOLE_READS)
        region = "us-east-1" if api.startswith(GLOBAL) else regions[dice.below(3) // 2]
        r = record(session, t, api, region=region, ip=ip, agent=agent, request=request,
                   version=dice.pick(["1.08", "1.09", "1.09", "1.10"]), label=k,
                   more={"sessionCredentialFromConsole": "true"})
        out.append(r)
    return out


def deployments(first: datetime, last: datetime) -> list[dict]:
    """The pipeline: `ci-deployer` from the runner's address, and GitHub through web identity."""
    out, dice = [], Dice("deployments")
    day = first.replace(hour=0, minute=0, second=0)
    while day <= last:
        for hour in (9, 13, 16):
            t = day + timedelta(hours=hour, minutes=dice.below(50), seconds=dice.below(60))
            if not first <= t <= last or t > at("14 08:20:00"):
                continue
            out += pipeline(t, dice)
        t = day + timedelta(hours=11, minutes=dice.below(50))
        if first <= t <= last:
            out += github(t)
        day += timedelta(days=1)
    return out


def pipeline(t: datetime, dice: Dice) -> list[dict]:
    steps = [
        ("sts:GetCallerIdentity", None, None, CLI),
        ("s3:ListBuckets", {"Host": "s3.us-east-1.amazonaws.com"}, None, TERRAFORM),
        ("ec2:DescribeInstances", {"instancesSet": {"items": [{"instanceId": i} for i in INSTANCES]},
                                   "filterSet": {}}, None, TERRAFORM),
        ("ec2:DescribeSecurityGroups", {"securityGroupSet": {}, "filterSet": {}, "securityGroupIdSet":
                                        {"items": [{"groupId": "sg-0123456789abcdef0"}]}}, None, TERRAFORM),
        ("iam:GetRole", {"roleName": "orders-service"}, None, TERRAFORM),
        ("lambda:GetFunction20150331v2", {"functionName": "invoice-render"}, None, TERRAFORM),
        ("lambda:UpdateFunctionCode20150331v2",
         {"functionName": "invoice-render", "s3Bucket": "example-build-artifacts", "dryRun": False,
          "s3Key": f"invoice-render/{word('0123456789abcdef', 40, 'commit', t)}.zip", "publish": True},
         {"functionName": "invoice-render", "runtime": "python3.12", "timeout": 30, "memorySize": 512,
          "functionArn": f"arn:aws:lambda:us-east-1:{PROD}:function:invoice-render",
          "role": LAMBDA.arn, "handler": "app.handler", "codeSize": 4_182_331,
          "lastModified": iso(t)[:-1] + ".000+0000", "version": str(40 + t.day),
          "environment": {}, "tracingConfig": {"mode": "PassThrough"}}, TERRAFORM),
        ("ecs:UpdateService", {"cluster": "orders", "service": "orders-web", "forceNewDeployment": True},
         {"service": {"serviceName": "orders-web", "status": "ACTIVE", "desiredCount": 3,
                      "serviceArn": f"arn:aws:ecs:us-east-1:{PROD}:service/orders/orders-web"}}, CLI),
        ("ecs:DescribeServices", {"cluster": "orders", "services": ["orders-web"]}, None, CLI),
    ]
    out = []
    for k, (api, request, response, agent) in enumerate(steps):
        t += timedelta(seconds=1 + dice.below(9))
        tls = TLS12 if agent is TERRAFORM else ("TLSv1.3", "TLS_AES_128_GCM_SHA256")
        out.append(record(CI, t, api, ip=CI_RUNNER, agent=agent, request=request, response=response,
                          tls=tls, label=k))
    return out


def github(t: datetime) -> list[dict]:
    subject = "repo:example-org/orders:ref:refs/heads/main"
    session = Session(GITHUB_ROLE, f"gha-{t:%m%d}", t, webIdFederationData={
        "federatedProvider":
            f"arn:aws:iam::{PROD}:oidc-provider/token.actions.githubusercontent.com",
        "attributes": {}})
    who = {"type": "WebIdentityUser", "principalId":
           f"arn:aws:iam::{PROD}:oidc-provider/token.actions.githubusercontent.com:sts.amazonaws.com:{subject}",
           "userName": subject, "identityProvider":
           f"arn:aws:iam::{PROD}:oidc-provider/token.actions.githubusercontent.com"}
    role = {"accountId": PROD, "type": "AWS::IAM::Role", "ARN": GITHUB_ROLE.arn}
    return [
        record(who, t, "sts:AssumeRoleWithWebIdentity", account=PROD, ip=GITHUB, version="1.08",
               agent="aws-sdk-nodejs/2.1396.0 linux/v20.11.1 configure-aws-credentials-for-github-actions promise",
               request={"roleArn": GITHUB_ROLE.arn, "roleSessionName": session.name, "durationSeconds": 3600},
               response=session.credentials() | {"subjectFromWebIdentityToken": subject,
                                                 "provider": who["identityProvider"],
                                                 "audience": "sts.amazonaws.com"},
               more={"resources": [role]}),
        record(session, t + timedelta(seconds=21), "ecr:PutImage", ip=GITHUB, agent="docker/26.1.1",
               read=False, request={"repositoryName": "orders-web", "imageTag": f"2024.5.{t.day}",
                                    "registryId": PROD},
               response={"image": {"registryId": PROD, "repositoryName": "orders-web",
                                   "imageId": {"imageTag": f"2024.5.{t.day}", "imageDigest":
                                               "sha256:" + word("0123456789abcdef", 64, "image", t)}}},
               more={"resources": [{"accountId": PROD,
                                    "ARN": f"arn:aws:ecr:us-east-1:{PROD}:repository/orders-web"}]}),
    ]


def patrol(first: datetime, last: datetime) -> list[dict]:
    """A cost tool that sweeps the regions and runs into throttling."""
    out, dice, t = [], Dice("patrol"), first + timedelta(hours=2, minutes=30)
    while t < last:
        session = Session(PATROL, "cost-patrol", t)
        out.append(assumed_by_service("ecs-tasks.amazonaws.com", session))
        for k in range(8):
            t2 = t + timedelta(seconds=4 + 2 * k)
            slow = k in (5, 6) and dice.below(2)
            error = ("Client.RequestLimitExceeded", "Request limit exceeded.") if slow else None
            out.append(record(session, t2, dice.pick(["ec2:DescribeInstances", "ec2:DescribeVolumes",
                                                      "ec2:DescribeSnapshots"]),
                              region=dice.pick(["us-east-1", "us-east-1", "eu-central-1"]), ip="2001:db8:51::1f",
                              agent=BOTO, error=error, request={"maxResults": 1000, "filterSet": {}},
                              version="1.09", label=k))
        t += timedelta(hours=8)
    return out


def root_once() -> list[dict]:
    """The owner signs in as root, with MFA, to look at the bill."""
    t = at("13 10:12:44")
    who = {"type": "Root", "principalId": PROD, "arn": f"arn:aws:iam::{PROD}:root",
           "accountId": PROD, "accessKeyId": "", "userName": "example-prod"}
    extra = {"LoginTo": "https://console.aws.amazon.com/billing/home", "MobileVersion": "No",
             "MFAIdentifier": f"arn:aws:iam::{PROD}:mfa/root-account-mfa-device", "MFAUsed": "YES"}
    login = record(who, t, "signin:ConsoleLogin", ip=OFFICE, agent=FIREFOX, kind="AwsConsoleSignIn",
                   version="1.08", read=False, response={"ConsoleLogin": "Success"},
                   more={"additionalEventData": extra, "host": "us-east-1.signin.aws.amazon.com"})
    session = who | {"accessKeyId": key_id("ASIA", "root", iso(t)), "sessionContext": {"attributes": {
        "creationDate": iso(t), "mfaAuthenticated": "true"}}}
    look = record(session, t + timedelta(seconds=48), "ce:GetCostAndUsage", ip=OFFICE, agent=FIREFOX,
                  request={"TimePeriod": {"Start": "2024-04-01", "End": "2024-05-01"},
                           "Granularity": "MONTHLY", "Metrics": ["UnblendedCost"]},
                  more={"sessionCredentialFromConsole": "true"})
    return [login, look]


def everything(first: datetime, last: datetime) -> list[dict]:
    out = (instances(first, last) + services(first, last) + people(first, last)
           + deployments(first, last) + patrol(first, last) + root_once())
    limit, stopped, started = iso(last), "2024-05-14T03:31:40Z", "2024-05-14T08:41:00Z"
    return [r for r in out if r["eventTime"] <= limit and not (
        stopped < r["eventTime"] < started and r["recipientAccountId"] == PROD
        and r["sourceIPAddress"] == "cloudtrail.amazonaws.com")]


