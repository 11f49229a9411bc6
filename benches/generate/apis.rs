//! The APIs that the generated events call: some with parameters as AWS writes them, and a long
//! tail of others.

use super::text::Template;

/// One API and how its records look.
#[derive(Debug, Clone)]
pub struct Api {
    /// The service's name before `.amazonaws.com`.
    pub service: &'static str,
    /// `eventName`.
    pub name: String,
    /// `readOnly`.
    pub read: bool,
    /// Whether it is a data event.
    pub data: bool,
    /// `requestParameters`.
    pub request: Template,
    /// `responseElements`.
    pub response: Template,
    /// `additionalEventData`, where there is any.
    pub extra: Option<Template>,
    /// `resources`, where there are any.
    pub resources: Option<Template>,
}

struct Spec(&'static str, &'static str, u64, &'static str, &'static str);

const S3_EXTRA: &str = r#"{"SignatureVersion":"SigV4","CipherSuite":"TLS_AES_128_GCM_SHA256","bytesTransferredIn":{n},"AuthenticationMethod":"AuthHeader","x-amz-id-2":"{z}=","bytesTransferredOut":{n}}"#;
const S3_OBJECT: &str = r#"[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::{b}/{k}"},{"accountId":"{a}","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::{b}"}]"#;
const S3_BUCKET: &str =
    r#"[{"accountId":"{a}","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::{b}"}]"#;
const KMS_KEY: &str = r#"[{"accountId":"{a}","type":"AWS::KMS::Key","ARN":"arn:aws:kms:{r}:{a}:key/1234abcd-12ab-34cd-56ef-1234567890ab"}]"#;

/// Calls by people and programs: service, name, weight, request, response.
const CALLS: &[Spec] = &[
    Spec(
        "s3",
        "GetObject",
        900,
        r#"{"bucketName":"{b}","Host":"{b}.s3.{r}.amazonaws.com","key":"{k}"}"#,
        "null",
    ),
    Spec(
        "s3",
        "PutObject",
        900,
        r#"{"bucketName":"{b}","Host":"{b}.s3.{r}.amazonaws.com","key":"{k}","x-amz-server-side-encryption":"aws:kms"}"#,
        r#"{"x-amz-server-side-encryption":"aws:kms"}"#,
    ),
    Spec(
        "s3",
        "HeadObject",
        260,
        r#"{"bucketName":"{b}","Host":"{b}.s3.{r}.amazonaws.com","key":"{k}"}"#,
        "null",
    ),
    Spec(
        "s3",
        "DeleteObject",
        120,
        r#"{"bucketName":"{b}","Host":"{b}.s3.{r}.amazonaws.com","key":"{k}"}"#,
        "null",
    ),
    Spec("s3", "ListBuckets", 60, r#"{"Host":"s3.{r}.amazonaws.com"}"#, "null"),
    Spec(
        "s3",
        "GetBucketLocation",
        70,
        r#"{"bucketName":"{b}","location":"","Host":"{b}.s3.{r}.amazonaws.com"}"#,
        "null",
    ),
    Spec(
        "s3",
        "PutBucketPolicy",
        3,
        r#"{"bucketPolicy":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::{a}:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::{b}/*"}]},"bucketName":"{b}","Host":"{b}.s3.{r}.amazonaws.com","policy":""}"#,
        "null",
    ),
    Spec(
        "ec2",
        "DescribeInstances",
        420,
        r#"{"maxResults":1000,"instancesSet":{},"filterSet":{"items":[{"name":"tag:Environment","valueSet":{"items":[{"value":"production"}]}}]}}"#,
        "null",
    ),
    Spec(
        "ec2",
        "DescribeVolumes",
        140,
        r#"{"volumeSet":{"items":[{"volumeId":"vol-{h}"}]},"filterSet":{},"maxResults":500}"#,
        "null",
    ),
    Spec(
        "ec2",
        "DescribeSecurityGroups",
        160,
        r#"{"securityGroupSet":{},"securityGroupIdSet":{"items":[{"groupId":"sg-{h}"},{"groupId":"sg-{h}"}]},"filterSet":{}}"#,
        "null",
    ),
    Spec(
        "ec2",
        "DescribeSnapshots",
        60,
        r#"{"snapshotSet":{},"ownersSet":{"items":[{"owner":"{a}"}]},"sharedUsersSet":{},"filterSet":{}}"#,
        "null",
    ),
    Spec(
        "ec2",
        "DescribeTags",
        120,
        r#"{"filterSet":{"items":[{"name":"resource-id","valueSet":{"items":[{"value":"i-{h}"}]}}]}}"#,
        "null",
    ),
    Spec("ec2", "DescribeRouteTables", 40, r#"{"routeTableIdSet":{},"filterSet":{}}"#, "null"),
    Spec(
        "ec2",
        "RunInstances",
        12,
        r#"{"instancesSet":{"items":[{"imageId":"ami-{h}","minCount":1,"maxCount":1,"keyName":"ops"}]},"instanceType":"m6i.large","blockDeviceMapping":{},"monitoring":{"enabled":false},"disableApiTermination":false,"clientToken":"{u}","ebsOptimized":false,"tagSpecificationSet":{"items":[{"resourceType":"instance","tags":[{"key":"Name","value":"worker"}]}]}}"#,
        r#"{"requestId":"{u}","reservationId":"r-{h}","ownerId":"{a}","groupSet":{},"instancesSet":{"items":[{"instanceId":"i-{h}","imageId":"ami-{h}","currentState":{"code":0,"name":"pending"},"instanceState":{"code":0,"name":"pending"},"privateDnsName":"ip-192-0-2-17.ec2.internal","keyName":"ops","amiLaunchIndex":0,"productCodes":{},"instanceType":"m6i.large","launchTime":{m},"placement":{"availabilityZone":"{r}a","tenancy":"default"},"monitoring":{"state":"disabled"},"subnetId":"subnet-{h}","vpcId":"vpc-{h}","privateIpAddress":"192.0.2.17","stateReason":{"code":"pending","message":"pending"},"architecture":"x86_64","rootDeviceType":"ebs","rootDeviceName":"/dev/xvda","virtualizationType":"hvm","hypervisor":"xen","ebsOptimized":false,"enaSupport":true}]}}"#,
    ),
    Spec(
        "ec2",
        "TerminateInstances",
        10,
        r#"{"instancesSet":{"items":[{"instanceId":"i-{h}"}]}}"#,
        r#"{"requestId":"{u}","instancesSet":{"items":[{"instanceId":"i-{h}","currentState":{"code":32,"name":"shutting-down"},"previousState":{"code":16,"name":"running"}}]}}"#,
    ),
    Spec(
        "ec2",
        "AuthorizeSecurityGroupIngress",
        4,
        r#"{"groupId":"sg-{h}","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":443,"toPort":443,"groups":{},"ipRanges":{"items":[{"cidrIp":"198.51.100.0/24"}]},"ipv6Ranges":{},"prefixListIds":{}}]}}"#,
        r#"{"requestId":"{u}","_return":true}"#,
    ),
    Spec(
        "ec2",
        "CreateSnapshot",
        9,
        r#"{"volumeId":"vol-{h}","description":"nightly"}"#,
        r#"{"requestId":"{u}","snapshotId":"snap-{h}","volumeId":"vol-{h}","status":"pending","startTime":{m},"progress":"","ownerId":"{a}","volumeSize":"200","encrypted":true}"#,
    ),
    Spec(
        "ec2",
        "CreateTags",
        25,
        r#"{"resourcesSet":{"items":[{"resourceId":"i-{h}"}]},"tagSet":{"items":[{"key":"Owner","value":"team-{n}"},{"key":"CostCentre","value":"{n}"}]}}"#,
        r#"{"requestId":"{u}","_return":true}"#,
    ),
    Spec("sts", "GetCallerIdentity", 130, "null", "null"),
    Spec("iam", "GetRole", 80, r#"{"roleName":"service-role-{n}"}"#, "null"),
    Spec("iam", "ListUsers", 25, r#"{"maxItems":1000}"#, "null"),
    Spec("iam", "ListAttachedRolePolicies", 50, r#"{"roleName":"service-role-{n}"}"#, "null"),
    Spec(
        "iam",
        "CreateAccessKey",
        1,
        r#"{"userName":"user-{n}"}"#,
        r#"{"accessKey":{"userName":"user-{n}","accessKeyId":"AKIAI44QH8DHBEXAMPLE","status":"Active","createDate":"{d}"}}"#,
    ),
    Spec(
        "iam",
        "PutRolePolicy",
        4,
        r#"{"roleName":"service-role-{n}","policyName":"inline","policyDocument":"{x}"}"#,
        "null",
    ),
    Spec(
        "kms",
        "Decrypt",
        430,
        r#"{"encryptionContext":{"aws:s3:arn":"arn:aws:s3:::{b}/{k}"},"encryptionAlgorithm":"SYMMETRIC_DEFAULT","keyId":"arn:aws:kms:{r}:{a}:key/1234abcd-12ab-34cd-56ef-1234567890ab"}"#,
        "null",
    ),
    Spec(
        "kms",
        "GenerateDataKey",
        210,
        r#"{"keyId":"arn:aws:kms:{r}:{a}:key/1234abcd-12ab-34cd-56ef-1234567890ab","keySpec":"AES_256","encryptionContext":{"aws:s3:arn":"arn:aws:s3:::{b}/{k}"}}"#,
        "null",
    ),
    Spec(
        "lambda",
        "Invoke",
        260,
        r#"{"functionName":"arn:aws:lambda:{r}:{a}:function:worker-{n}","clientContext":"e30="}"#,
        "null",
    ),
    Spec(
        "lambda",
        "GetFunction20150331v2",
        45,
        r#"{"functionName":"arn:aws:lambda:{r}:{a}:function:worker-{n}"}"#,
        "null",
    ),
    Spec(
        "lambda",
        "UpdateFunctionCode20150331v2",
        12,
        r#"{"functionName":"worker-{n}","s3Bucket":"{b}","s3Key":"{k}","publish":true,"dryRun":false}"#,
        r#"{"functionName":"worker-{n}","functionArn":"arn:aws:lambda:{r}:{a}:function:worker-{n}","runtime":"python3.12","role":"arn:aws:iam::{a}:role/service-role/worker","handler":"app.handler","codeSize":{n},"timeout":30,"memorySize":512,"codeSha256":"{z}=","version":"{n}","environment":{},"tracingConfig":{"mode":"PassThrough"},"revisionId":"{u}","state":"Active","packageType":"Zip","architectures":["x86_64"]}"#,
    ),
    Spec("dynamodb", "DescribeTable", 70, r#"{"tableName":"table-{n}"}"#, "null"),
    Spec(
        "logs",
        "CreateLogStream",
        380,
        r#"{"logGroupName":"/aws/lambda/worker-{n}","logStreamName":"2024/01/02/[$LATEST]{h}{h}"}"#,
        "null",
    ),
    Spec(
        "logs",
        "DescribeLogGroups",
        60,
        r#"{"logGroupNamePrefix":"/aws/lambda/","limit":50}"#,
        "null",
    ),
    Spec(
        "monitoring",
        "DescribeAlarms",
        150,
        r#"{"alarmNames":["cpu-i-{h}"],"maxRecords":100}"#,
        "null",
    ),
    Spec(
        "monitoring",
        "PutMetricAlarm",
        9,
        r#"{"alarmName":"cpu-i-{h}","metricName":"CPUUtilization","namespace":"AWS/EC2","statistic":"Average","period":300,"evaluationPeriods":2,"threshold":80.0,"comparisonOperator":"GreaterThanThreshold","dimensions":[{"name":"InstanceId","value":"i-{h}"}]}"#,
        "null",
    ),
    Spec(
        "rds",
        "DescribeDBInstances",
        130,
        r#"{"dBInstanceIdentifier":"db-{n}","maxRecords":100}"#,
        "null",
    ),
    Spec(
        "ecs",
        "DescribeServices",
        90,
        r#"{"cluster":"arn:aws:ecs:{r}:{a}:cluster/main","services":["web-{n}"]}"#,
        "null",
    ),
    Spec(
        "ecr",
        "BatchGetImage",
        60,
        r#"{"registryId":"{a}","repositoryName":"service-{n}","imageIds":[{"imageTag":"release-{n}"}],"acceptedMediaTypes":["application/vnd.docker.distribution.manifest.v2+json"]}"#,
        "null",
    ),
    Spec(
        "secretsmanager",
        "GetSecretValue",
        80,
        r#"{"secretId":"arn:aws:secretsmanager:{r}:{a}:secret:app/{n}"}"#,
        "null",
    ),
    Spec(
        "ssm",
        "GetParameter",
        110,
        r#"{"name":"/app/{n}/endpoint","withDecryption":true}"#,
        "null",
    ),
    Spec(
        "ssm",
        "UpdateInstanceInformation",
        420,
        r#"{"instanceId":"i-{h}","agentVersion":"3.3.131.0","agentStatus":"Active","platformType":"Linux","platformName":"Amazon Linux","platformVersion":"2023","iPAddress":"192.0.2.17","computerName":"ip-192-0-2-17.ec2.internal","agentName":"amazon-ssm-agent","availabilityZone":"{r}a","sSMConnectionChannel":"ssmmessages"}"#,
        "null",
    ),
    Spec(
        "ssm",
        "SendCommand",
        3,
        r#"{"documentName":"AWS-RunShellScript","instanceIds":["i-{h}"],"parameters":"HIDDEN_DUE_TO_SECURITY_REASONS","timeoutSeconds":600}"#,
        r#"{"command":{"commandId":"{u}","documentName":"AWS-RunShellScript","status":"Pending","requestedDateTime":"{d}","parameters":"HIDDEN_DUE_TO_SECURITY_REASONS"}}"#,
    ),
    Spec(
        "cloudtrail",
        "LookupEvents",
        30,
        r#"{"maxResults":50,"lookupAttributes":[{"attributeKey":"EventName","attributeValue":"ConsoleLogin"}]}"#,
        "null",
    ),
    Spec(
        "cloudformation",
        "DescribeStacks",
        70,
        r#"{"stackName":"arn:aws:cloudformation:{r}:{a}:stack/app-{n}/{u}"}"#,
        "null",
    ),
    Spec(
        "elasticloadbalancing",
        "DescribeTargetHealth",
        120,
        r#"{"targetGroupArn":"arn:aws:elasticloadbalancing:{r}:{a}:targetgroup/web/{h}"}"#,
        "null",
    ),
    Spec(
        "glue",
        "GetTable",
        60,
        r#"{"catalogId":"{a}","databaseName":"lake","name":"table_{n}"}"#,
        "null",
    ),
    Spec(
        "athena",
        "StartQueryExecution",
        15,
        r#"{"queryString":"HIDDEN_DUE_TO_SECURITY_REASONS","clientRequestToken":"{u}","queryExecutionContext":{"database":"lake"},"resultConfiguration":{},"workGroup":"primary"}"#,
        r#"{"queryExecutionId":"{u}"}"#,
    ),
    Spec(
        "ecr",
        "DescribeImageScanFindings",
        1,
        r#"{"registryId":"{a}","repositoryName":"service-{n}","imageId":{"imageTag":"release-{n}"}}"#,
        "null",
    ),
];

/// Calls by AWS's own services.
const SERVICE_CALLS: &[Spec] = &[
    Spec(
        "s3",
        "GetBucketAcl",
        300,
        r#"{"bucketName":"{b}","Host":"{b}.s3.{r}.amazonaws.com","acl":""}"#,
        "null",
    ),
    Spec(
        "kms",
        "GenerateDataKey",
        260,
        r#"{"keyId":"arn:aws:kms:{r}:{a}:key/1234abcd-12ab-34cd-56ef-1234567890ab","encryptionContext":{"aws:cloudtrail:arn":"arn:aws:cloudtrail:{r}:{a}:trail/main","aws:s3:arn":"arn:aws:s3:::{b}/{k}"},"keySpec":"AES_256"}"#,
        "null",
    ),
    Spec(
        "kms",
        "Decrypt",
        160,
        r#"{"encryptionContext":{"aws:ebs:id":"vol-{h}"},"encryptionAlgorithm":"SYMMETRIC_DEFAULT"}"#,
        "null",
    ),
    Spec(
        "s3",
        "PutObject",
        420,
        r#"{"bucketName":"{b}","Host":"{b}.s3.{r}.amazonaws.com","x-amz-acl":"bucket-owner-full-control","key":"{k}"}"#,
        "null",
    ),
    Spec(
        "ec2",
        "CreateNetworkInterface",
        10,
        r#"{"subnetId":"subnet-{h}","description":"AWS Lambda VPC ENI","groupSet":{"items":[{"groupId":"sg-{h}"}]},"privateIpAddressesSet":{},"clientToken":"{u}"}"#,
        r#"{"requestId":"{u}","networkInterface":{"networkInterfaceId":"eni-{h}","subnetId":"subnet-{h}","vpcId":"vpc-{h}","availabilityZone":"{r}a","ownerId":"{a}","status":"pending","sourceDestCheck":true}}"#,
    ),
    Spec(
        "logs",
        "CreateLogStream",
        150,
        r#"{"logGroupName":"aws-cloudtrail-logs","logStreamName":"{a}_CloudTrail_{r}"}"#,
        "null",
    ),
];

const TAIL_SERVICES: &[&str] = &[
    "acm",
    "apigateway",
    "appconfig",
    "appmesh",
    "autoscaling",
    "backup",
    "batch",
    "bedrock",
    "ce",
    "cloudfront",
    "codebuild",
    "codepipeline",
    "cognito-idp",
    "config",
    "directconnect",
    "dms",
    "ds",
    "eks",
    "elasticache",
    "elasticbeanstalk",
    "elasticfilesystem",
    "elasticmapreduce",
    "es",
    "events",
    "firehose",
    "fsx",
    "guardduty",
    "health",
    "inspector2",
    "iot",
    "kafka",
    "kinesis",
    "lightsail",
    "macie2",
    "mediaconvert",
    "mq",
    "network-firewall",
    "opsworks",
    "organizations",
    "pipes",
    "quicksight",
    "ram",
    "redshift",
    "resource-groups",
    "route53",
    "sagemaker",
    "securityhub",
    "servicecatalog",
    "ses",
    "sns",
    "sqs",
    "states",
    "storagegateway",
    "transfer",
    "wafv2",
    "workspaces",
    "xray",
];
const VERBS: &[(&str, bool)] = &[
    ("Describe", true),
    ("List", true),
    ("Get", true),
    ("BatchGet", true),
    ("Search", true),
    ("Create", false),
    ("Update", false),
    ("Delete", false),
    ("Tag", false),
];
const NOUNS: &[&str] =
    &["Clusters", "Resources", "Policies", "Configurations", "Tasks", "Findings", "Tags"];
const TAIL_REQUESTS: &[&str] = &[
    r#"{"maxResults":100}"#,
    r#"{"resourceArn":"arn:aws:example:{r}:{a}:thing/{h}","nextToken":"{z}"}"#,
    r#"{"name":"thing-{n}","clientRequestToken":"{u}","tags":{"Owner":"team-{n}","Environment":"production"}}"#,
    r#"{"filters":[{"name":"status","values":["ACTIVE","PENDING"]}],"limit":50,"includeDetails":true}"#,
    "null",
];
const TAIL_RESPONSES: &[&str] = &[
    r#"{"thing":{"arn":"arn:aws:example:{r}:{a}:thing/{h}","id":"{u}","createdAt":"{d}","status":"CREATING","settings":{"encryption":{"enabled":true,"keyId":"{u}"},"retentionInDays":30}}}"#,
    r#"{"requestId":"{u}"}"#,
    "null",
];

fn api(spec: &Spec) -> Api {
    let &Spec(service, name, _, request, response) = spec;
    let object = request.contains("{k}") && service == "s3";
    let data = object || (service, name) == ("lambda", "Invoke");
    let resources = match service {
        "s3" if object => Some(S3_OBJECT),
        "s3" if request.contains("{b}") => Some(S3_BUCKET),
        "kms" => Some(KMS_KEY),
        _ => None,
    };
    Api {
        service,
        name: name.to_owned(),
        read: is_read(name),
        data,
        request: Template::new(request),
        response: Template::new(response),
        extra: (service == "s3").then(|| Template::new(S3_EXTRA)),
        resources: resources.map(Template::new),
    }
}

fn is_read(name: &str) -> bool {
    [
        "Get",
        "List",
        "Describe",
        "Head",
        "Lookup",
        "Decrypt",
        "GenerateDataKey",
        "BatchGet",
        "Search",
    ]
    .iter()
    .any(|verb| name.starts_with(verb))
}

/// The APIs that people and programs call, with their weights.
pub fn calls() -> Vec<(Api, u64)> {
    let mut out: Vec<_> = CALLS.iter().map(|spec| (api(spec), spec.2 * 1000)).collect();
    let mut rank = 0;
    for noun in NOUNS {
        for (verb, read) in VERBS {
            for (n, service) in TAIL_SERVICES.iter().enumerate() {
                let request = TAIL_REQUESTS[(n + rank as usize) % TAIL_REQUESTS.len()];
                let response =
                    if *read { "null" } else { TAIL_RESPONSES[n % TAIL_RESPONSES.len()] };
                let tail = Api {
                    service,
                    name: format!("{verb}{noun}"),
                    read: *read,
                    data: false,
                    request: Template::new(request),
                    response: Template::new(response),
                    extra: None,
                    resources: None,
                };
                let weight = if *read { 250_000 } else { 200_000 };
                rank += 1;
                out.push((tail, weight / (rank + 2)));
            }
        }
    }
    out
}

/// The APIs that AWS's services call, with their weights.
pub fn service_calls() -> Vec<(Api, u64)> {
    SERVICE_CALLS.iter().map(|spec| (api(spec), spec.2)).collect()
}
