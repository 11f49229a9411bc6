//! The S3 key layout of CloudTrail's deliveries.

#[cfg(test)]
mod tests;

/// What an S3 key, or a local path that ends like one, tells of the log file below it.
///
/// The day is that of delivery, not of the events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogKey {
    /// The account whose trail delivered the file.
    pub account: Option<String>,
    /// The region the events were recorded in.
    pub region: Option<String>,
    /// The delivery day as (year, month, day).
    pub day: Option<(i32, u32, u32)>,
    /// `CloudTrail`, `CloudTrail-Insight`, `CloudTrail-Digest`, ….
    pub kind: Option<String>,
}

impl LogKey {
    /// Reads what `path` tells; whatever it does not tell stays `None`.
    ///
    /// `path` is a key, a URI, a path with either separator, or a member of an archive
    /// (`a.zip!/member`). The file's own name tells most; below it the folders are read:
    ///
    /// ```text
    /// [prefix/]AWSLogs/[o-xxxx/]ACCOUNT/CloudTrail[-KIND]/REGION/YYYY/MM/DD/
    ///     ACCOUNT_CloudTrail[-KIND]_REGION_YYYYMMDDTHHmmZ_RANDOM.json.gz
    /// ```
    ///
    /// and those of Hive (`account=…/region=…/year=…/month=…/day=…`, `date=…`). Where name and
    /// folders differ, the name holds. Source: "Finding your CloudTrail log files" of the AWS
    /// CloudTrail User Guide.
    pub fn parse(path: &str) -> Self {
        let mut parts: Vec<&str> =
            path.split(['/', '\\']).map(|part| part.strip_suffix('!').unwrap_or(part)).collect();
        let mut key = parts.pop().map(Self::of_name).unwrap_or_default();
        let folders = Self::of_folders(&parts);
        key.account = key.account.or(folders.account);
        key.region = key.region.or(folders.region);
        key.day = key.day.or(folders.day);
        key.kind = key.kind.or(folders.kind);
        key
    }

    /// Reads a file's name: `ACCOUNT_KIND_REGION_TIME_RANDOM`, and a digest's
    /// `ACCOUNT_CloudTrail-Digest_REGION_TRAIL_HOMEREGION_TIME`, where the trail's name may have
    /// underscores.
    fn of_name(name: &str) -> Self {
        let mut words = name.split('_');
        let account = words.next().filter(|word| is_account(word));
        let kind = words.next().filter(|word| is_kind(word));
        let region = words.next().filter(|word| is_region(word));
        let (Some(account), Some(kind), Some(region)) = (account, kind, region) else {
            return Self::default();
        };
        // A digest's time is the last word that is one.
        let day = words.filter_map(day_of_time).next_back();
        Self {
            account: Some(account.to_owned()),
            region: Some(region.to_owned()),
            day,
            kind: Some(kind.to_owned()),
        }
    }

    /// Reads the folders above a file.
    fn of_folders(folders: &[&str]) -> Self {
        let mut key = Self::of_hive(folders);
        let kind = folders.iter().rposition(|folder| is_kind(folder));
        let Some((above, below)) = kind.and_then(|kind| folders.split_at_checked(kind)) else {
            return key;
        };
        // CloudTrail is a common name of folders: below AWS's there is a region, above it an
        // account.
        let account = above.last().filter(|folder| is_account(folder));
        let region = below.get(1).filter(|folder| is_region(folder));
        if account.is_none() && region.is_none() {
            return key;
        }
        key.kind = below.first().map(|&kind| kind.to_owned());
        if let Some(account) = account {
            key.account = Some((*account).to_owned());
        }
        if let Some(region) = region {
            key.region = Some((*region).to_owned());
            if let Some(&[year, month, day]) = below.get(2..5) {
                key.day = day_of(year, month, day).or(key.day);
            }
        }
        key
    }

    /// Reads folders of the form `name=value`.
    fn of_hive(folders: &[&str]) -> Self {
        let mut key = Self::default();
        let (mut year, mut month, mut day) = (None, None, None);
        for (name, value) in folders.iter().filter_map(|folder| folder.split_once('=')) {
            match name.to_ascii_lowercase().as_str() {
                "account" | "account_id" | "accountid" | "account_partition" | "aws_account"
                    if is_account(value) =>
                {
                    key.account = Some(value.to_owned());
                }
                "region" | "aws_region" | "awsregion" | "region_partition" if is_region(value) => {
                    key.region = Some(value.to_owned());
                }
                "year" => year = Some(value),
                "month" => month = Some(value),
                "day" => day = Some(value),
                "date" | "dt" | "delivery_date" | "date_partition" => {
                    if let [year, month, day] = *value.split('-').collect::<Vec<_>>() {
                        key.day = day_of(year, month, day);
                    }
                }
                _ => {}
            }
        }
        if let (Some(year), Some(month), Some(day)) = (year, month, day) {
            key.day = day_of(year, month, day).or(key.day);
        }
        key
    }
}

/// Twelve digits; text, since they may begin with 0.
pub(crate) fn is_account(word: &str) -> bool {
    word.len() == 12 && word.bytes().all(|b| b.is_ascii_digit())
}

/// `CloudTrail`, or that with `-` and letters behind it.
pub(crate) fn is_kind(word: &str) -> bool {
    word.strip_prefix("CloudTrail").is_some_and(|rest| {
        rest.is_empty()
            || rest.strip_prefix('-').is_some_and(|kind| {
                !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_alphanumeric())
            })
    })
}

/// `us-east-1`, `us-gov-west-1`, or an invented one of that form.
pub(crate) fn is_region(word: &str) -> bool {
    let mut parts = word.split('-');
    let lower = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    let first = parts.next().is_some_and(lower);
    let last = parts.next_back().is_some_and(|part| {
        part.bytes().next().is_some_and(|b| b.is_ascii_digit())
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    });
    let mut middle = parts.peekable();
    first && last && middle.peek().is_some() && middle.all(lower)
}

/// The day of `YYYYMMDDTHHmm[ss]Z`, whatever follows: old names have no underscore there.
fn day_of_time(word: &str) -> Option<(i32, u32, u32)> {
    let bytes = word.as_bytes();
    let digits = |from: usize, to: usize| {
        bytes.get(from..to).is_some_and(|run| run.iter().all(u8::is_ascii_digit))
    };
    let minutes = digits(0, 8) && bytes.get(8) == Some(&b'T') && digits(9, 13);
    let zone = bytes.get(13) == Some(&b'Z') || digits(13, 15) && bytes.get(15) == Some(&b'Z');
    if !minutes || !zone {
        return None;
    }
    day_of(word.get(..4)?, word.get(4..6)?, word.get(6..8)?)
}

/// The day that three numbers spell, if there is such a day.
fn day_of(year: &str, month: &str, day: &str) -> Option<(i32, u32, u32)> {
    let number = |text: &str, longest: usize| {
        let plain = text.len() <= longest && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<u32>().ok().filter(|_| plain)
    };
    let (year, month, day) = (number(year, 4)?, number(month, 2)?, number(day, 2)?);
    super::derive::days_from_civil(year.into(), month.into(), day.into())
        .filter(|_| year >= 1000)
        .and_then(|_| Some((i32::try_from(year).ok()?, month, day)))
}
