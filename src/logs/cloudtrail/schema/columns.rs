//! The tables of columns themselves.
//!
//! Sources: "CloudTrail record contents", "CloudTrail userIdentity element" and the pages on
//! Insights and aggregated events of the AWS CloudTrail User Guide; "Create a table for CloudTrail
//! logs in Athena" of the Amazon Athena User Guide for names, order and types.

use super::{Column, Group, Type};
use Type::{Boolean, Date, Int32, Int64, Json, List, Map, Struct, Text, Timestamp};

const fn column(name: &'static str, group: Group, ty: Type, doc: &'static str) -> Column {
    Column { name, group, ty, doc }
}

const fn athena(name: &'static str, ty: Type, doc: &'static str) -> Column {
    column(name, Group::Athena, ty, doc)
}

const fn companion(name: &'static str, ty: Type, doc: &'static str) -> Column {
    column(name, Group::Companion, ty, doc)
}

const fn field(name: &'static str, ty: Type, doc: &'static str) -> Column {
    column(name, Group::Field, ty, doc)
}

const fn envelope(name: &'static str, ty: Type, doc: &'static str) -> Column {
    column(name, Group::Envelope, ty, doc)
}

const fn partition(name: &'static str, ty: Type, doc: &'static str) -> Column {
    column(name, Group::Partition, ty, doc)
}

const fn provenance(name: &'static str, ty: Type, doc: &'static str) -> Column {
    column(name, Group::Provenance, ty, doc)
}

const USER_IDENTITY: Type = Struct(&[
    ("type", Text),
    ("principalid", Text),
    ("arn", Text),
    ("accountid", Text),
    ("invokedby", Text),
    ("accesskeyid", Text),
    ("username", Text),
    ("onbehalfof", Struct(&[("userid", Text), ("identitystorearn", Text)])),
    (
        "sessioncontext",
        Struct(&[
            ("attributes", Struct(&[("mfaauthenticated", Text), ("creationdate", Text)])),
            (
                "sessionissuer",
                Struct(&[
                    ("type", Text),
                    ("principalid", Text),
                    ("arn", Text),
                    ("accountid", Text),
                    ("username", Text),
                ]),
            ),
            ("ec2roledelivery", Text),
            ("webidfederationdata", Struct(&[("federatedprovider", Text), ("attributes", Map)])),
        ]),
    ),
]);

const RESOURCES: Type = List(&Struct(&[("arn", Text), ("accountid", Text), ("type", Text)]));

const ADDENDUM: Type = Struct(&[
    ("reason", Text),
    ("updatedfields", Text),
    ("originalrequestid", Text),
    ("originaleventid", Text),
]);

const TLS_DETAILS: Type =
    Struct(&[("tlsversion", Text), ("ciphersuite", Text), ("clientprovidedhostheader", Text)]);

const IN_SCOPE_OF: Type = Struct(&[
    ("sourcearn", Text),
    ("sourceaccount", Text),
    ("issuertype", Text),
    ("credentialsissuedto", Text),
    ("credentialsissuedtoversion", Text),
]);

/// The columns of `cloudtrail_logs`.
#[rustfmt::skip]
pub(super) const EVENTS: &[Column] = &[
    athena("eventversion", Text,
        "Version of the record's format, `major.minor`; compare as numbers, 1.10 is after 1.09. Source: eventVersion."),
    athena("useridentity", USER_IDENTITY,
        "Who made the request: IAM user, role session, federated user, root, AWS service. `type` is absent in many service events; IAMUser with an ASIA key is a console session or GetSessionToken. Source: userIdentity element."),
    athena("eventtime", Text,
        "When the request completed, as the record writes it: UTC, whole seconds, `2024-01-02T03:04:05Z`. See `event_ts` for a timestamp and `time_source` where it came from another field. Source: eventTime."),
    athena("eventsource", Text,
        "The service that took the request, `s3.amazonaws.com`; CloudWatch is `monitoring.amazonaws.com`. Source: eventSource."),
    athena("eventname", Text,
        "The API call or action. Some carry a date of the API (`CreateFunction20150331`): see `event_name_base`. Source: eventName."),
    athena("awsregion", Text,
        "The region the request was made to; global services log to us-east-1. Source: awsRegion."),
    athena("sourceipaddress", Text,
        "Where the request came from, as logged: an address, a service's DNS name, `AWS Internal`. See `src_ip` and `src_kind`. Source: sourceIPAddress."),
    athena("useragent", Text,
        "The agent the caller claims, cut at 1 KB; S3 puts it in brackets. Source: userAgent."),
    athena("errorcode", Text,
        "The service's error, when there was one; its spelling differs by service: see `outcome`. Source: errorCode."),
    athena("errormessage", Text,
        "The error's description; sign-in failures have it without an errorcode. Source: errorMessage."),
    athena("requestparameters", Json,
        "The request's parameters as JSON text; NULL when there were none, or when over 100 KB and omitted by AWS. Source: requestParameters."),
    athena("responseelements", Json,
        "The response of calls that change something, as JSON text; NULL for calls that only read. Source: responseElements."),
    athena("additionaleventdata", Json,
        "What fits no other field, as JSON text: MFAUsed and LoginTo of sign-ins, bytesTransferredOut and x-amz-id-2 of S3. Source: additionalEventData."),
    athena("requestid", Text,
        "The service's id of the request; one request may give several events. Source: requestID."),
    athena("eventid", Text,
        "CloudTrail's GUID of the event, unique within the recipient account. Source: eventID."),
    athena("resources", RESOURCES,
        "The resources the event touched; any member may be missing. See `resourcearnprefixes`. Source: resources."),
    athena("eventtype", Text,
        "AwsApiCall, AwsServiceEvent, AwsConsoleAction, AwsConsoleSignIn, AwsCloudTrailInsight, AwsVpceEvent. Source: eventType."),
    athena("apiversion", Text,
        "Version of the API that was called. Source: apiVersion."),
    athena("readonly", Text,
        "`true` where the call only reads, `false` where it may change something. Source: readOnly."),
    athena("recipientaccountid", Text,
        "The account whose trail received the event; another than useridentity.accountid means cross-account. Text: it may begin with 0. Source: recipientAccountId."),
    athena("serviceeventdetails", Json,
        "What a service event did, as JSON text. Source: serviceEventDetails."),
    athena("sharedeventid", Text,
        "GUID common to the copies that different accounts received of one action. Source: sharedEventID."),
    athena("vpcendpointid", Text,
        "The VPC endpoint the request came through. Source: vpcEndpointId."),
    athena("vpcendpointaccountid", Text,
        "The account that owns that VPC endpoint. Source: vpcEndpointAccountId."),
    athena("eventcategory", Text,
        "Management, Data, Insight or NetworkActivity; absent before version 1.07: see `category`. Source: eventCategory."),
    athena("addendum", ADDENDUM,
        "Why an event came late, or which earlier event it corrects (UPDATED_DATA). Source: addendum."),
    athena("sessioncredentialfromconsole", Text,
        "`true` where the credentials came from a console session. Source: sessionCredentialFromConsole."),
    athena("edgedevicedetails", Json,
        "The edge device the request was for, as JSON text. Source: edgeDeviceDetails."),
    athena("tlsdetails", TLS_DETAILS,
        "TLS version, cipher and the host name the client gave; absent for calls that services make. See `tlskeyexchange`. Source: tlsDetails."),

    companion("event_ts", Timestamp,
        "`eventtime` as a timestamp in UTC; NULL where it is no time."),
    companion("time_source", Text,
        "The record's field that `eventtime` was taken from, where it is not eventTime, such as `@timestamp`."),
    companion("src_ip", Text,
        "`sourceipaddress` where it is an IPv4 or IPv6 address, in canonical text; else NULL."),
    companion("src_kind", Text,
        "What `sourceipaddress` is: ip4, ip6, service (a DNS name), internal (`AWS Internal`); NULL for anything else."),
    companion("principal_key", Text,
        "One name for whoever acts, the same over all sessions of a role: the session issuer's ARN, else the ARN, else the principal id, else `account|service`, whichever of both there are."),
    companion("session_name", Text,
        "The session's name: what follows the colon in useridentity.principalid."),
    companion("actor_account", Text,
        "The caller's account: useridentity.accountid, else the session issuer's, else the ARN's."),
    companion("owner_account", Text,
        "The account the event was delivered to: `recipientaccountid`."),
    companion("is_cross_account", Boolean,
        "Whether `actor_account` and `owner_account` differ; NULL where either is unknown."),
    companion("key_kind", Text,
        "What useridentity.accesskeyid is: long-term (AKIA…), temporary (ASIA…); else NULL."),
    companion("event_name_base", Text,
        "`eventname` without the API's date and version: CreateFunction20150331v2 gives CreateFunction."),
    companion("service", Text,
        "`eventsource` without `.amazonaws.com`."),
    companion("is_write", Boolean,
        "Not `readonly`; NULL where the record does not say."),
    companion("outcome", Text,
        "ok, denied (access was refused), throttled, error (anything else that failed, console sign-ins included); NULL for events that are no calls, as Insights."),
    companion("deny_type", Text,
        "The kind of policy that refused access, as the error message names it: `service control policy`, …. Source: Troubleshoot access denied error messages, IAM User Guide."),
    companion("deny_policy_arn", Text,
        "The ARN of the policy that refused access, where the error message names it."),
    companion("deny_action", Text,
        "The action that was refused, as the error message names it: `s3:GetObject`."),
    companion("deny_explicit", Boolean,
        "Whether a policy denied it explicitly (true) or none allowed it (false); NULL where the message does not say."),
    companion("issued_key", Text,
        "The temporary access key id that the response handed out: responseElements.credentials.accessKeyId."),
    companion("issued_session_arn", Text,
        "The session that the response handed out: responseElements.assumedRoleUser.arn, or federatedUser.arn."),
    companion("target_role", Text,
        "The role a session was asked for: requestParameters.roleArn of AssumeRole and its kin."),
    companion("category", Text,
        "`eventcategory`, else derived from managementEvent, the event's type and name."),

    field("managementevent", Boolean,
        "Whether it is a management event. Source: managementEvent."),
    field("identityprovider", Text,
        "The external identity provider of SAML and web identity users. Source: userIdentity.identityProvider."),
    field("credentialid", Text,
        "Id of the bearer token, for IAM Identity Center users. Source: userIdentity.credentialId."),
    field("sourceidentity", Text,
        "The identity set when the first role was assumed; it persists through role chaining. Source: userIdentity.sessionContext.sourceIdentity."),
    field("ec2issuedinvpc", Text,
        "The VPC the instance's credentials were issued in. Source: userIdentity.sessionContext.ec2IssuedInVpc."),
    field("assumedroot", Text,
        "`true` for sessions of sts:AssumeRoot. Source: userIdentity.sessionContext.assumedRoot."),
    field("signinsessionarn", Text,
        "The sign-in session; joins every call of one sign-in. Source: userIdentity.sessionContext.signInSessionArn."),
    field("invokedbydelegate", Struct(&[("accountid", Text)]),
        "The product provider's account that used temporary delegation. Source: userIdentity.invokedByDelegate."),
    field("inscopeof", IN_SCOPE_OF,
        "What the role's credentials were issued to: which function, instance, task. Source: userIdentity.inScopeOf."),
    field("tlskeyexchange", Text,
        "The key exchange of the TLS connection. Source: tlsDetails.keyExchange."),
    field("resourcearnprefixes", List(&Text),
        "ARNPrefix of each element of `resources`, in step with it; NULL where none has one. Source: resources."),
    field("insightdetails", Json,
        "What an Insights event found, as JSON text. Source: CloudTrail record contents for Insights events."),
    field("eventcontext", Json,
        "Request and tag context that event data stores add, as JSON text. Source: eventContext."),
    field("annotation", Text,
        "Why a Lake integration's event is incomplete. Source: annotation."),

    envelope("shape", Text,
        "The shape the record came in: `records` for a delivery file."),
    envelope("envelope", Json,
        "What wrapped the record, as JSON with null in the record's place; NULL where nothing but an array, lines or {\"Records\": […]} did."),
    envelope("empty_fields", Text,
        "Known fields that were there but null or {}, and are NULL here: `responseElements:null,userIdentity.sessionContext.sessionIssuer:{}`."),
    envelope("extra", Json,
        "JSON of the fields that this schema does not know, and of known ones whose value their column cannot give back exactly: another type, duplicate keys, another case. The record can be rebuilt with it; it wins over the columns."),

    partition("account", Text,
        "The account of the file's key in S3, else `recipientaccountid`, else useridentity.accountid."),
    partition("region", Text,
        "The region of the file's key in S3, else `awsregion`."),
    partition("delivery_date", Date,
        "The day of delivery in the file's key in S3, else the day of the event."),

    provenance("source_file", Text,
        "The file's URI, as in `log_files`; a member of an archive is `archive.zip!/member`."),
    provenance("source_version", Int32,
        "Which version of the file at that URI it was, from 1."),
    provenance("record_no", Int64,
        "The record's number in the file, from 1."),
    provenance("record_offset", Int64,
        "The offset of its first byte in the inflated file."),
    provenance("appended", Boolean,
        "Whether it lay behind the end of the first gzip member, where digest validation does not reach."),
];

/// The columns of `cloudtrail_aggregated`.
#[rustfmt::skip]
pub(super) const AGGREGATED: &[Column] = &[
    athena("eventversion", Text,
        "Version of the record's format. Source: CloudTrail record contents for aggregated events."),
    athena("accountid", Text,
        "The account the events belong to. Source: accountId."),
    athena("eventid", Text,
        "GUID of the aggregated event. Source: eventId."),
    athena("eventcategory", Text,
        "Aggregated. Source: eventCategory."),
    athena("eventtype", Text,
        "AwsAggregatedEvent. Source: eventType."),
    athena("awsregion", Text,
        "The region of the events. Source: awsRegion."),
    athena("eventsource", Text,
        "The service of the events. Source: eventSource."),
    athena("windowstart", Text,
        "Where the window begins, in UTC as the record writes it. Source: timeWindow.windowStart."),
    athena("windowend", Text,
        "Where the window ends. Source: timeWindow.windowEnd."),
    athena("windowsize", Text,
        "The window's length as an ISO 8601 duration, PT5M. Source: timeWindow.windowSize."),
    athena("is_primary", Boolean,
        "Whether the bucket belongs to summary.primaryDimension; else to summary.details. Each dimension counts all events of the window by itself: they are no joint distribution."),
    athena("dimension", Text,
        "What is counted by: eventName, resourceARN, userIdentity, userAgent, sourceIpAddress. Source: dimension."),
    athena("aggregationtype", Text,
        "How: Count. Source: aggregationType."),
    athena("name", Text,
        "The bucket: one value of the dimension. Source: statistics.name."),
    athena("value", Int64,
        "The bucket's count; NULL where it is no whole number of 64 bits. Source: statistics.value."),
    athena("addendum_reason", Text,
        "Why the event came late. Source: addendum.reason."),
    athena("eventjson", Json,
        "The whole record, compact; the same in every row of one record."),
    companion("event_ts", Timestamp,
        "`windowstart` as a timestamp in UTC."),
    companion("window_end_ts", Timestamp,
        "`windowend` as a timestamp in UTC."),
    companion("bucket_no", Int32,
        "The bucket's number in the record, from 1; 0 for a record without buckets."),
    envelope("shape", Text,
        "The shape the record came in."),
    envelope("envelope", Json,
        "What wrapped the record, as JSON with null in the record's place."),
    partition("account", Text,
        "The account of the file's key in S3, else `accountid`."),
    partition("region", Text,
        "The region of the file's key in S3, else `awsregion`."),
    partition("delivery_date", Date,
        "The day of delivery in the file's key in S3, else the window's."),
    provenance("source_file", Text,
        "The file's URI, as in `log_files`."),
    provenance("source_version", Int32,
        "Which version of the file at that URI it was, from 1."),
    provenance("record_no", Int64,
        "The record's number in the file, from 1."),
    provenance("record_offset", Int64,
        "The offset of its first byte in the inflated file."),
    provenance("appended", Boolean,
        "Whether it lay behind the end of the first gzip member."),
];
