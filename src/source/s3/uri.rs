//! `s3://bucket/key`: where the bucket ends and the key begins.

/// A place in S3: a bucket or an access point, and a key or the beginning of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The bucket's name, or the ARN of an access point.
    pub bucket: String,
    /// A key, or what keys begin with; nothing for the whole bucket.
    pub key: String,
}

impl Place {
    /// Reads `s3://BUCKET[/KEY]`, where BUCKET is a name, a bucket's ARN, or that of an access
    /// point: `arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME`, or with `:` before the name; also
    /// those of Object Lambda and of Outposts (`…:outpost/ID/accesspoint/NAME`). Source: "Amazon
    /// S3 ARN format" of the Amazon S3 User Guide.
    ///
    /// # Errors
    /// Why it is none, in a few words.
    pub fn parse(uri: &str) -> Result<Self, &'static str> {
        let rest = uri.strip_prefix("s3://").ok_or("it does not begin with `s3://`")?;
        if rest.starts_with("arn:") {
            return Self::of_arn(rest);
        }
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        match bucket {
            "" => Err("it names no bucket: `s3://bucket/prefix`"),
            _ if !bucket.chars().all(is_name) => {
                Err("a bucket's name has letters, digits, `.` and `-`: `s3://bucket/prefix`")
            }
            _ => Ok(Self { bucket: bucket.to_owned(), key: key.to_owned() }),
        }
    }

    fn of_arn(arn: &str) -> Result<Self, &'static str> {
        const FORM: &str = "the ARN of an access point has the form \
                            `arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME`";
        let mut fields = arn.splitn(6, ':');
        let (_arn, _partition, service) = (fields.next(), fields.next(), fields.next());
        let (region, account) = (fields.next().unwrap_or_default(), fields.next());
        let resource = fields.next().ok_or(FORM)?;
        if service == Some("s3") && region.is_empty() && account == Some("") {
            // The bucket's own.
            return Self::parse(&format!("s3://{resource}"));
        }
        let words = match resource {
            _ if resource.starts_with("outpost/") => 4,
            _ if resource.starts_with("accesspoint/") => 2,
            _ if resource.starts_with("accesspoint:") => 1,
            _ => return Err(FORM),
        };
        let key_at = resource.match_indices('/').nth(words - 1).map(|(at, _)| at);
        let (name, key) = match key_at.and_then(|at| resource.split_at_checked(at)) {
            Some((name, key)) => (name, key.trim_start_matches('/')),
            None => (resource, ""),
        };
        if name.ends_with(['/', ':']) {
            return Err(FORM);
        }
        let bucket = arn.strip_suffix(resource).map(|head| format!("{head}{name}")).ok_or(FORM)?;
        Ok(Self { bucket, key: key.to_owned() })
    }

    /// Its own URI: without a slash at the end where it is the whole bucket.
    pub fn uri(&self) -> String {
        match self.key.as_str() {
            "" => format!("s3://{}", self.bucket),
            key => self.uri_of(key, None),
        }
    }

    /// The URI of `key` in this bucket; with a version where it is not what the key leads to.
    pub fn uri_of(&self, key: &str, version: Option<&str>) -> String {
        match version {
            Some(version) => format!("s3://{}/{key}?versionId={version}", self.bucket),
            None => format!("s3://{}/{key}", self.bucket),
        }
    }

    /// Whether `other` lies at this place or below it, as folders do.
    pub fn holds(&self, other: &Self) -> bool {
        let folder = self.key.trim_end_matches('/');
        self.bucket == other.bucket
            && other
                .key
                .strip_prefix(folder)
                .is_some_and(|rest| folder.is_empty() || rest.is_empty() || rest.starts_with('/'))
    }
}

/// The key of an object's URI in `bucket`, which [`Place::uri_of`] made with `version`.
pub(super) fn key_of<'u>(uri: &'u str, bucket: &str, version: Option<&str>) -> Option<&'u str> {
    let key = uri.strip_prefix("s3://")?.strip_prefix(bucket)?.strip_prefix('/')?;
    match version {
        Some(version) => key.strip_suffix(version)?.strip_suffix("?versionId="),
        None => Some(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_and_access_points_are_told_from_keys() {
        let place = |uri: &str| {
            let place = Place::parse(uri).unwrap();
            (place.bucket, place.key)
        };
        let pair = |bucket: &str, key: &str| (bucket.to_owned(), key.to_owned());
        assert_eq!(place("s3://logs"), pair("logs", ""));
        assert_eq!(place("s3://logs/"), pair("logs", ""));
        assert_eq!(place("s3://logs/AWSLogs/o-1/"), pair("logs", "AWSLogs/o-1/"));
        assert_eq!(place("s3://logs//odd"), pair("logs", "/odd"));
        assert_eq!(place("s3://arn:aws-cn:s3:::logs/a/b"), pair("logs", "a/b"));
        let point = "arn:aws:s3:eu-west-1:111122223333:accesspoint/evidence";
        assert_eq!(place(&format!("s3://{point}")), pair(point, ""));
        assert_eq!(place(&format!("s3://{point}/AWSLogs/1")), pair(point, "AWSLogs/1"));
        let point = "arn:aws-us-gov:s3:us-gov-west-1:111122223333:accesspoint:evidence";
        assert_eq!(place(&format!("s3://{point}/AWSLogs/")), pair(point, "AWSLogs/"));
        let point = "arn:aws:s3-outposts:us-east-1:111122223333:outpost/op-1/accesspoint/evidence";
        assert_eq!(place(&format!("s3://{point}/a/b")), pair(point, "a/b"));
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for uri in [
            "s3://",
            "s3:///key",
            "s3://a b/c",
            "s3://{bucket}/c",
            "s3://arn:aws:s3:eu-west-1:111122223333",
            "s3://arn:aws:s3:eu-west-1:111122223333:accesspoint/",
            "s3://arn:aws:sqs:eu-west-1:111122223333:queue",
            "/tmp",
        ] {
            assert!(Place::parse(uri).is_err(), "{uri}");
        }
    }

    #[test]
    fn a_uri_gives_its_key_back() {
        let place = Place::parse("s3://logs/AWSLogs").unwrap();
        for (key, version) in [("a/b.gz", None), ("a?versionId=7", None), ("a/b.gz", Some("v.1"))] {
            let uri = place.uri_of(key, version);
            assert_eq!(key_of(&uri, "logs", version), Some(key), "{uri}");
        }
        assert_eq!(key_of("s3://other/key", "logs", None), None);
    }

    #[test]
    fn one_place_has_one_uri() {
        let uri = |text: &str| Place::parse(text).unwrap().uri();
        for whole in ["s3://logs", "s3://logs/", "s3://arn:aws:s3:::logs"] {
            assert_eq!(uri(whole), "s3://logs");
        }
        assert_eq!(uri("s3://logs/a/"), "s3://logs/a/");
    }

    #[test]
    fn a_place_holds_what_lies_below_it() {
        let holds = |outer: &str, inner: &str| {
            Place::parse(outer).unwrap().holds(&Place::parse(inner).unwrap())
        };
        assert!(holds("s3://logs", "s3://logs/cache"));
        assert!(holds("s3://logs/a/", "s3://logs/a"));
        assert!(holds("s3://logs/a", "s3://logs/a/b/c"));
        assert!(!holds("s3://logs/a", "s3://logs/ab"));
        assert!(!holds("s3://logs/a", "s3://other/a"));
    }
}
