//! Well-known data events: a trail records them only where it was told to, so that their absence
//! proves nothing.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html>

/// A kind of data events.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Class {
    /// The service, as in `eventsource`.
    pub(super) source: &'static str,
    /// What they are events of.
    pub(super) label: &'static str,
    /// The APIs that are data events only.
    names: &'static [&'static str],
}

/// The classes, with the names that no management event has.
pub(super) const CLASSES: &[Class] = &[
    Class {
        source: "s3.amazonaws.com",
        label: "S3 objects",
        names: &[
            "GetObject",
            "PutObject",
            "DeleteObject",
            "DeleteObjects",
            "HeadObject",
            "CopyObject",
            "ListObjects",
            "ListObjectVersions",
            "ListParts",
            "GetObjectAcl",
            "PutObjectAcl",
            "GetObjectTagging",
            "PutObjectTagging",
            "DeleteObjectTagging",
            "GetObjectAttributes",
            "GetObjectTorrent",
            "RestoreObject",
            "SelectObjectContent",
            "CreateMultipartUpload",
            "UploadPart",
            "UploadPartCopy",
            "CompleteMultipartUpload",
            "AbortMultipartUpload",
            "GetObjectRetention",
            "PutObjectRetention",
            "GetObjectLegalHold",
            "PutObjectLegalHold",
        ],
    },
    Class {
        source: "lambda.amazonaws.com",
        label: "Lambda invocations",
        names: &["Invoke", "InvokeExecution", "InvokeAsync", "InvokeFunction"],
    },
    Class {
        source: "dynamodb.amazonaws.com",
        label: "DynamoDB items",
        names: &[
            "GetItem",
            "PutItem",
            "UpdateItem",
            "DeleteItem",
            "BatchGetItem",
            "BatchWriteItem",
            "Query",
            "Scan",
            "TransactGetItems",
            "TransactWriteItems",
        ],
    },
    Class {
        source: "sns.amazonaws.com",
        label: "SNS messages",
        names: &["Publish", "PublishBatch"],
    },
    Class {
        source: "sqs.amazonaws.com",
        label: "SQS messages",
        names: &[
            "SendMessage",
            "SendMessageBatch",
            "ReceiveMessage",
            "DeleteMessage",
            "DeleteMessageBatch",
            "ChangeMessageVisibility",
        ],
    },
    Class {
        source: "ebs.amazonaws.com",
        label: "EBS direct APIs",
        names: &["GetSnapshotBlock", "PutSnapshotBlock", "ListSnapshotBlocks", "ListChangedBlocks"],
    },
    Class {
        source: "ses.amazonaws.com",
        label: "SES messages",
        names: &["SendEmail", "SendRawEmail", "SendBulkEmail"],
    },
];

/// The classes that one of `names` belongs to, of the services `sources` where those are given.
pub(super) fn asked_for<'a>(
    names: impl IntoIterator<Item = &'a String>,
    sources: Option<&std::collections::BTreeSet<String>>,
) -> Vec<&'static Class> {
    let mut classes: Vec<&'static Class> = Vec::new();
    for name in names {
        let class = CLASSES.iter().find(|class| {
            class.names.contains(&name.as_str())
                && sources.is_none_or(|sources| sources.contains(class.source))
        });
        if let Some(class) = class
            && !classes.contains(&class)
        {
            classes.push(class);
        }
    }
    classes
}
