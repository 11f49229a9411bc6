//! Who and what there is: accounts, principals, addresses, programs. All of it from the seed.

use super::{
    apis::{self, Api},
    random::{Rng, Weighted},
    text::{put, unique_id},
};

/// Regions, the busiest first.
pub const REGIONS: &[&str] = &[
    "us-east-1",
    "eu-central-1",
    "us-west-2",
    "eu-west-1",
    "ap-southeast-2",
    "us-east-2",
    "ap-northeast-1",
    "eu-north-1",
    "ca-central-1",
    "sa-east-1",
    "ap-south-1",
    "eu-west-3",
];

const ACCOUNTS: &[&str] = &[
    "111122223333",
    "444455556666",
    "777788889999",
    "123456789012",
    "012345678901",
    "222233334444",
    "333344445555",
    "555566667777",
    "666677778888",
    "888899990000",
];

/// Services that act by themselves or assume roles.
pub const SERVICES: &[&str] = &[
    "cloudtrail.amazonaws.com",
    "lambda.amazonaws.com",
    "ec2.amazonaws.com",
    "config.amazonaws.com",
    "autoscaling.amazonaws.com",
    "delivery.logs.amazonaws.com",
    "ecs-tasks.amazonaws.com",
    "rds.amazonaws.com",
    "backup.amazonaws.com",
    "glue.amazonaws.com",
    "securityhub.amazonaws.com",
    "ssm.amazonaws.com",
];

const AGENTS: &[&str] = &[
    "Boto3/1.34.98 md/Botocore#1.34.98 ua/2.0 os/linux#6.1.87-99.174.amzn2023.x86_64 md/arch#x86_64 lang/python#3.11.6 md/pyimpl#CPython cfg/retry-mode#legacy Botocore/1.34.98",
    "aws-sdk-go-v2/1.26.1 os/linux lang/go#1.22.2 md/GOOS#linux md/GOARCH#amd64 api/ec2#1.160.0",
    "aws-cli/2.15.46 md/awscrt#0.19.19 ua/2.0 os/linux#6.5.0 md/arch#x86_64 lang/python#3.11.8 md/pyimpl#CPython cfg/retry-mode#standard md/prompt#off",
    "APN/1.0 HashiCorp/1.0 Terraform/1.8.2 (+https://www.terraform.io) terraform-provider-aws/5.48.0 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.26.1",
    "aws-sdk-java/2.25.40 Linux/6.1.87 OpenJDK_64-Bit_Server_VM/21.0.3+9-LTS Java/21.0.3 vendor/Amazon.com_Inc. io/async http/NettyNio cfg/retry-mode/standard",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",
    "aws-sdk-go/1.44.260 (go1.20.12; linux; amd64) amazon-ssm-agent/3.3.131.0",
    "awslambda-worker/1.0  rusoto/0.48.0 rust/1.77.2 linux",
    "aws-sdk-nodejs/2.1396.0 linux/v20.11.1 promise",
    "Coral/Netty4",
    "kubernetes/v1.29.3 aws-sdk-go/1.50.8 (go1.21.8; linux; amd64)",
    "datadog-agent/7.53.0 aws-sdk-go-v2/1.25.3",
    "S3Manager aws-sdk-go/1.50.8",
];

/// Error codes, the commonest first, and their messages.
pub const ERRORS: &[(&str, &str)] = &[
    (
        "AccessDenied",
        "User is not authorized to perform this action because no identity-based policy allows the action",
    ),
    ("ThrottlingException", "Rate exceeded"),
    ("Client.UnauthorizedOperation", "You are not authorized to perform this operation."),
    ("NoSuchBucketPolicy", "The bucket policy does not exist"),
    (
        "ValidationException",
        "1 validation error detected: Value at 'maxResults' failed to satisfy constraint",
    ),
    ("ResourceNotFoundException", "The requested resource does not exist."),
    ("NoSuchEntityException", "The role cannot be found."),
    ("Client.RequestLimitExceeded", "Request limit exceeded."),
    ("NoSuchKey", "The specified key does not exist."),
    ("Client.InvalidInstanceID.NotFound", "The instance ID does not exist"),
    (
        "AccessDeniedException",
        "User is not authorized with an explicit deny in a service control policy",
    ),
    ("ReplicationConfigurationNotFoundError", "The replication configuration was not found"),
    ("InvalidParameterValueException", "The parameter is not valid."),
    ("Client.InvalidSnapshot.InUse", "The snapshot is currently in use"),
    ("SlowDown", "Please reduce your request rate."),
    ("TrailNotFoundException", "Unknown trail: main"),
    ("InternalFailure", "An unknown error occurred"),
    ("VpceAccessDenied", "The request was denied due to a VPC endpoint policy"),
];

/// An IAM user or a role.
#[derive(Debug, Clone)]
pub struct Principal {
    /// Its name.
    pub name: String,
    /// Its unique id: `AIDA…` or `AROA…`.
    pub id: String,
    /// A user's access key.
    pub key: String,
    /// Where it calls from.
    pub address: String,
    /// What it calls with.
    pub agent: usize,
}

/// An account and its principals.
#[derive(Debug)]
pub struct Account {
    /// Twelve digits.
    pub id: String,
    /// IAM users.
    pub users: Vec<Principal>,
    /// Roles.
    pub roles: Vec<Principal>,
    /// S3 buckets.
    pub buckets: Vec<String>,
}

/// Everything there is.
#[derive(Debug)]
pub struct World {
    /// The accounts.
    pub accounts: Vec<Account>,
    /// APIs that people and programs call.
    pub calls: Vec<Api>,
    /// How often.
    pub call_weights: Weighted,
    /// APIs that services call.
    pub service_calls: Vec<Api>,
    /// How often.
    pub service_weights: Weighted,
    /// User agents: the known ones and a tail of versions.
    pub agents: Vec<String>,
    /// Long tails for picking users, roles, buckets, errors.
    pub user_tail: Weighted,
    pub role_tail: Weighted,
    pub bucket_tail: Weighted,
    pub error_tail: Weighted,
    pub service_tail: Weighted,
}

const USERS: usize = 60;
const ROLES: usize = 160;
const BUCKETS: usize = 90;

impl World {
    /// The world of `seed` with that many accounts.
    pub fn new(seed: u64, accounts: usize) -> Self {
        let agents = agents(seed);
        let (calls, call_weights): (Vec<_>, Vec<_>) = apis::calls().into_iter().unzip();
        let (service_calls, service_weights): (Vec<_>, Vec<_>) =
            apis::service_calls().into_iter().unzip();
        Self {
            accounts: (0..accounts).map(|n| Account::new(seed, n, agents.len())).collect(),
            calls,
            call_weights: Weighted::new(call_weights),
            service_calls,
            service_weights: Weighted::new(service_weights),
            agents,
            user_tail: Weighted::long_tail(USERS),
            role_tail: Weighted::long_tail(ROLES),
            bucket_tail: Weighted::long_tail(BUCKETS),
            error_tail: Weighted::long_tail(ERRORS.len()),
            service_tail: Weighted::long_tail(SERVICES.len()),
        }
    }
}

impl Account {
    fn new(seed: u64, n: usize, agents: usize) -> Self {
        let id = ACCOUNTS.get(n).map_or_else(
            || format!("{:04}{:04}{:04}", n % 10_000, (n * 7) % 10_000, (n * 13) % 10_000),
            |&id| id.to_owned(),
        );
        let mut rng = Rng::new(&[seed, 1, n as u64]);
        let mut principals = |count: usize, prefix: &str, word: &str| {
            (0..count).map(|k| Principal::new(&mut rng, prefix, word, k, agents)).collect()
        };
        Self {
            users: principals(USERS, "AIDA", "user"),
            roles: principals(ROLES, "AROA", "service-role"),
            buckets: (0..BUCKETS).map(|k| format!("example-{id}-bucket-{k}")).collect(),
            id,
        }
    }
}

impl Principal {
    fn new(rng: &mut Rng, prefix: &str, word: &str, n: usize, agents: usize) -> Self {
        let mut unique = |prefix: &str, letters| {
            let mut out = Vec::new();
            unique_id(&mut out, prefix, rng, letters);
            String::from_utf8(out).unwrap_or_default()
        };
        let (id, key) = (unique(prefix, 10), unique("AKIA", 9));
        Self {
            name: format!("{word}-{n}"),
            id,
            key,
            address: address(rng),
            agent: rng.index(agents),
        }
    }
}

/// An address of the documentation blocks (RFC 5737, RFC 3849).
pub fn address(rng: &mut Rng) -> String {
    const BLOCKS: [&str; 3] = ["192.0.2.", "198.51.100.", "203.0.113."];
    if rng.once_in(5) {
        return format!(
            "2001:db8:{:x}:{:x}::{:x}",
            rng.below(65_536),
            rng.below(16),
            rng.below(65_535) + 1
        );
    }
    format!("{}{}", BLOCKS[rng.index(BLOCKS.len())], rng.below(254) + 1)
}

/// The known agents, and of each some versions that fewer use.
fn agents(seed: u64) -> Vec<String> {
    let mut rng = Rng::new(&[seed, 2]);
    let mut out: Vec<String> = AGENTS.iter().map(|&agent| agent.to_owned()).collect();
    for n in 0..200 {
        let known = AGENTS[n % AGENTS.len()];
        out.push(format!("{known} exec-env/build-{}", rng.below(100_000)));
    }
    out
}

/// Credentials that an AssumeRole issued.
#[derive(Debug, Clone)]
pub struct Session {
    /// The account it acts in.
    pub account: usize,
    /// The role, as an index.
    pub role: usize,
    /// Its name.
    pub name: String,
    /// `ASIA…`.
    pub key: String,
    /// When it was issued, in seconds since 1970.
    pub created: i64,
    /// `userIdentity`, ready to be written.
    pub identity: Vec<u8>,
}

impl Session {
    /// A session of a role of `account`.
    pub fn new(world: &World, account: usize, created: i64, rng: &mut Rng) -> Self {
        let role = world.role_tail.sample(rng);
        let mut key = Vec::new();
        unique_id(&mut key, "ASIA", rng, 9);
        let key = String::from_utf8(key).unwrap_or_default();
        let name = match rng.below(4) {
            0 => format!("i-0{:016x}", rng.bits()),
            1 => format!("person-{}@example.com", rng.below(80)),
            2 => format!("{:x}", rng.bits()),
            _ => format!("session-{}", rng.below(100_000)),
        };
        let mut session = Self { account, role, name, key, created, identity: Vec::new() };
        session.identity = session.write(world, rng);
        session
    }

    fn write(&self, world: &World, rng: &mut Rng) -> Vec<u8> {
        let account = &world.accounts[self.account];
        let (role, id, name) = (&account.roles[self.role], &account.id, &self.name);
        let mut out = Vec::with_capacity(700);
        put(
            &mut out,
            &format!(
                r#"{{"type":"AssumedRole","principalId":"{}:{name}","arn":"arn:aws:sts::{id}:assumed-role/{}/{name}","accountId":"{id}","accessKeyId":"{}","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"{}","arn":"arn:aws:iam::{id}:role/{}","accountId":"{id}","userName":"{}"}},"webIdFederationData":{{}},"attributes":{{"creationDate":""#,
                role.id, role.name, self.key, role.id, role.name, role.name
            ),
        );
        super::text::iso(&mut out, self.created);
        put(&mut out, r#"","mfaAuthenticated":"false"}"#);
        if name.starts_with("i-") {
            put(
                &mut out,
                if rng.once_in(9) {
                    r#","ec2RoleDelivery":"1.0""#
                } else {
                    r#","ec2RoleDelivery":"2.0""#
                },
            );
        }
        put(&mut out, "}}");
        out
    }
}
