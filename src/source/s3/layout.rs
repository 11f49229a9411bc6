//! CloudTrail's layout of keys as folders: what a folder's path tells, and whether its keys are
//! asked for at once, or its folders first.
//!
//! ```text
//! [prefix/]AWSLogs/[o-xxxx/]ACCOUNT/CloudTrail[-KIND]/REGION/YYYY/MM/DD/
//! ```
//!
//! Source: "Finding your CloudTrail log files" of the AWS CloudTrail User Guide. Folders of Hive
//! (`account=…/region=…/year=…`) tell the same. What lies outside is listed as well.

use chrono::NaiveDate;

use crate::{
    logs::cloudtrail::key::{is_account, is_kind, is_region},
    source::Filter,
};

/// What to do with a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Ask for its folders, and for the keys that lie directly in it: not all of them are chosen,
    /// or what they hold is not known.
    Folders(At),
    /// Ask for all keys below it.
    Keys,
    /// Nothing below it is chosen.
    Leave,
    /// Another service's logs, by the name of the service.
    Other(&'static str),
}

/// Where in the layout a folder lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// Nothing says: `AWSLogs` may come further down.
    Outside,
    /// At `AWSLogs`, or below it and above the services.
    Above,
    /// Within CloudTrail's logs.
    Within,
}

/// Folders below an account that other services deliver to. Sources: the pages on log delivery of
/// these services.
const OTHER_SERVICES: [(&str, &str); 20] = [
    ("bedrock", "Bedrock"),
    ("bedrockmodelinvocationlogs", "Bedrock"),
    ("cloudfront", "CloudFront"),
    ("cloudwatchlogs", "CloudWatch Logs"),
    ("config", "AWS Config"),
    ("elasticloadbalancing", "Elastic Load Balancing"),
    ("globalaccelerator", "Global Accelerator"),
    ("guardduty", "GuardDuty"),
    ("inspector2", "Inspector"),
    ("network-firewall", "Network Firewall"),
    ("networkfirewall", "Network Firewall"),
    ("redshift", "Redshift"),
    ("route53resolver", "Route 53 Resolver"),
    ("s3", "S3 server access"),
    ("transitgatewayflowlogs", "transit gateway flow"),
    ("vpcdnsquerylogs", "Route 53 Resolver"),
    ("vpcflowlogs", "VPC flow"),
    ("vpclattice", "VPC Lattice"),
    ("vpnlogs", "VPN"),
    ("waflogs", "WAF"),
];

/// What a folder's path tells of the keys below it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told<'f> {
    account: Option<&'f str>,
    region: Option<&'f str>,
    /// The first and the last day of delivery.
    days: Option<(NaiveDate, NaiveDate)>,
}

/// Says what to do with `folder`: a prefix of keys that ends with a slash, or a SOURCE's, which
/// may end in the middle of a name.
pub(super) fn step(folder: &str, filter: &Filter) -> Step {
    let names: Vec<&str> = match folder.rsplit_once('/') {
        // What follows the last slash is the beginning of a name, and tells nothing.
        Some((folders, _beginning)) => folders.split('/').collect(),
        None => Vec::new(),
    };
    let (at, depth) = place(&names);
    let told = told(&names);
    if is_left_out(&told, filter) {
        return Step::Leave;
    }
    match at {
        At::Above => other_service(&names).map_or(Step::Folders(at), Step::Other),
        At::Within if depth < DAY && !is_settled(&told, filter) => Step::Folders(at),
        At::Within => Step::Keys,
        At::Outside => Step::Folders(at),
    }
}

/// How many folders below that of CloudTrail the day is.
const DAY: usize = 4;

/// Where `names` lead to; within CloudTrail's logs also how many folders below its own.
fn place(names: &[&str]) -> (At, usize) {
    let logs = names.iter().rposition(|name| *name == "AWSLogs");
    match (logs, kind_of(names)) {
        (logs, Some(kind)) if logs.is_none_or(|logs| logs < kind) => {
            (At::Within, names.len() - kind - 1)
        }
        (Some(_), _) => (At::Above, 0),
        (None, _) => (At::Outside, 0),
    }
}

/// Which of `names` is CloudTrail's own folder. It is a common name of folders: below AWS's there
/// is a region, above it an account.
fn kind_of(names: &[&str]) -> Option<usize> {
    let is_ours = |at: usize, name: &str| {
        let above = at.checked_sub(1).and_then(|above| names.get(above));
        let below = names.get(at + 1);
        is_kind(name)
            && (above.is_some_and(|name| is_account(name))
                || below.is_some_and(|name| is_region(name)))
    };
    let mut from_below = names.iter().enumerate().rev();
    from_below.find(|(at, name)| is_ours(*at, name)).map(|(at, _)| at)
}

/// The service that the last of `names`, a folder below an account, belongs to, where that is
/// another one than CloudTrail.
fn other_service(names: &[&str]) -> Option<&'static str> {
    let (last, above) = names.split_last()?;
    let account = above.last()?;
    let account = account.strip_prefix("aws-account-id=").unwrap_or(account);
    if !is_account(account) {
        return None;
    }
    let service = last.strip_prefix("aws-service=").unwrap_or(last).to_ascii_lowercase();
    OTHER_SERVICES.iter().find(|(folder, _)| *folder == service).map(|(_, name)| *name)
}

/// The folder of another service that `key` lies in, as it does below an account's folder, and
/// the service's name.
pub(super) fn other_folder(key: &str) -> Option<(&str, &'static str)> {
    let logs = key.match_indices("AWSLogs/").map(|(at, _)| at).next()?;
    // `AWSLogs/[o-xxxx/]ACCOUNT/SERVICE/`
    let ends = key.match_indices('/').map(|(at, _)| at).filter(|at| *at > logs);
    ends.skip(2).take(2).find_map(|end| {
        let (folder, _) = key.split_at_checked(end + 1)?;
        let names: Vec<&str> = key.get(..end)?.split('/').collect();
        Some((folder, other_service(&names)?))
    })
}

fn told<'f>(names: &[&'f str]) -> Told<'f> {
    let mut told = Told::default();
    let (mut year, mut month, mut day) = (None, None, None);
    for name in names {
        let Some((field, value)) = name.split_once('=') else { continue };
        match field.to_ascii_lowercase().as_str() {
            "account" | "account_id" | "accountid" | "aws-account-id" | "aws_account"
                if is_account(value) =>
            {
                told.account = Some(value);
            }
            "region" | "aws_region" | "aws-region" | "awsregion" if is_region(value) => {
                told.region = Some(value);
            }
            "year" => year = Some(value),
            "month" => month = Some(value),
            "day" => day = Some(value),
            "date" | "dt" | "delivery_date" | "date_partition" => {
                let mut parts = value.splitn(3, '-');
                told.days = parts.next().and_then(|y| days(y, parts.next(), parts.next()));
            }
            _ => {}
        }
    }
    let logs = names.iter().rposition(|name| *name == "AWSLogs");
    if let Some(kind) = kind_of(names) {
        let below = |n: usize| names.get(kind + n).copied();
        let above = kind.checked_sub(1).and_then(|above| names.get(above));
        told.account = above.copied().filter(|name| is_account(name)).or(told.account);
        if let Some(region) = below(1).filter(|name| is_region(name)) {
            told.region = Some(region);
            (year, month, day) = (below(2).or(year), below(3).or(month), below(4).or(day));
        }
    } else if let Some(logs) = logs {
        // `AWSLogs/ACCOUNT` or `AWSLogs/o-xxxx/ACCOUNT`, whatever follows.
        let mut below = names.iter().skip(logs + 1).take(2).copied();
        told.account = below.find(|name| is_account(name)).or(told.account);
    }
    if let Some(year) = year {
        told.days = days(year, month, day);
    }
    told
}

/// The first and the last day of a year, of a month in it, of a day in that.
fn days(year: &str, month: Option<&str>, day: Option<&str>) -> Option<(NaiveDate, NaiveDate)> {
    let number = |text: &str, longest: usize| {
        let is_plain = text.len() <= longest && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u32>().ok().filter(|_| is_plain)
    };
    let year = i32::try_from(number(year, 4).filter(|year| *year >= 1000)?).ok()?;
    let last_of = |year: i32, month: u32| {
        let next = NaiveDate::from_ymd_opt(year, month + 1, 1);
        next.or_else(|| NaiveDate::from_ymd_opt(year + 1, 1, 1))?.pred_opt()
    };
    let first = NaiveDate::from_ymd_opt(year, 1, 1)?;
    let Some(month) = month.and_then(|month| number(month, 2)) else {
        return Some((first, last_of(year, 12)?));
    };
    let Some(first) = NaiveDate::from_ymd_opt(year, month, 1) else {
        return Some((first, last_of(year, 12)?));
    };
    let day = day.and_then(|day| number(day, 2));
    match day.and_then(|day| NaiveDate::from_ymd_opt(year, month, day)) {
        Some(day) => Some((day, day)),
        None => Some((first, last_of(year, month)?)),
    }
}

/// Whether no key below such a folder is chosen.
fn is_left_out(told: &Told<'_>, filter: &Filter) -> bool {
    let other = |chosen: &[String], value: Option<&str>| {
        !chosen.is_empty() && value.is_some_and(|value| !chosen.iter().any(|one| one == value))
    };
    let (since, until) = filter.days();
    let elsewhere = told.days.is_some_and(|(first, last)| {
        since.is_some_and(|since| last < since) || until.is_some_and(|until| first > until)
    });
    other(&filter.accounts, told.account) || other(&filter.regions, told.region) || elsewhere
}

/// Whether all keys below such a folder are chosen, as far as folders tell.
fn is_settled(told: &Told<'_>, filter: &Filter) -> bool {
    let (since, until) = filter.days();
    let within = match told.days {
        Some((first, last)) => {
            since.is_none_or(|since| first >= since) && until.is_none_or(|until| last <= until)
        }
        None => since.is_none() && until.is_none(),
    };
    within
        && (filter.accounts.is_empty() || told.account.is_some())
        && (filter.regions.is_empty() || told.region.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: fn() -> Filter = Filter::default;

    fn march(first: u32, last: u32) -> Filter {
        let micros = |day: u32| {
            let date = NaiveDate::from_ymd_opt(2024, 3, day).unwrap();
            date.and_hms_opt(12, 0, 0).unwrap().and_utc().timestamp_micros()
        };
        Filter { since: Some(micros(first)), until: Some(micros(last)), ..Filter::default() }
    }

    #[test]
    fn folders_above_the_services_are_looked_into() {
        assert_eq!(step("", &ALL()), Step::Folders(At::Outside));
        assert_eq!(step("evidence/2024/", &ALL()), Step::Folders(At::Outside));
        // Many a trail's prefix is called so.
        assert_eq!(step("CloudTrail/", &ALL()), Step::Folders(At::Outside));
        assert_eq!(step("CloudTrail/AWSLogs/", &ALL()), Step::Folders(At::Above));
        for folder in ["AWSLogs/", "a/b/AWSLogs/o-abc/", "AWSLogs/111122223333/", "AWSLogs/o-abc/1"]
        {
            assert_eq!(step(folder, &ALL()), Step::Folders(At::Above), "{folder}");
        }
    }

    #[test]
    fn all_of_cloudtrails_logs_are_listed_at_once_unless_filters_choose_among_them() {
        let folder = "AWSLogs/111122223333/CloudTrail/";
        assert_eq!(step(folder, &ALL()), Step::Keys);
        assert_eq!(step(folder, &march(1, 31)), Step::Folders(At::Within));
        let in_region = |rest: &str, filter: &Filter| {
            step(&format!("x/AWSLogs/o-1/111122223333/CloudTrail-Digest/eu-west-1/{rest}"), filter)
        };
        let filter = march(1, 31);
        assert_eq!(in_region("", &filter), Step::Folders(At::Within));
        assert_eq!(in_region("2023/", &filter), Step::Leave);
        assert_eq!(in_region("2024/", &filter), Step::Folders(At::Within));
        assert_eq!(in_region("2024/02/", &filter), Step::Leave);
        assert_eq!(in_region("2024/03/", &filter), Step::Keys);
        // Deliveries may come two days late.
        assert_eq!(in_region("2024/04/", &filter), Step::Folders(At::Within));
        assert_eq!(in_region("2024/04/02/", &filter), Step::Keys);
        assert_eq!(in_region("2024/04/03/", &filter), Step::Leave);
        let late = Filter { late_days: 30, ..filter };
        assert_eq!(in_region("2024/04/30/", &late), Step::Keys);
        assert_eq!(in_region("2024/05/", &late), Step::Leave);
        assert_eq!(in_region("2024/03/07/", &march(7, 7)), Step::Keys);
        assert_eq!(in_region("2024/03/06/", &march(7, 7)), Step::Leave);
        // The middle of a name tells nothing yet.
        assert_eq!(in_region("2024/0", &march(7, 7)), Step::Folders(At::Within));
    }

    #[test]
    fn accounts_and_regions_that_are_not_chosen_are_left() {
        let one = Filter {
            accounts: vec!["111122223333".to_owned()],
            regions: vec!["eu-west-1".to_owned()],
            ..Filter::default()
        };
        for folder in [
            "AWSLogs/o-1/444455556666/",
            "AWSLogs/444455556666/CloudTrail/",
            "AWSLogs/111122223333/CloudTrail/us-east-1/",
            "account=444455556666/",
            "flat/account_id=111122223333/region=us-east-1/year=2024/",
        ] {
            assert_eq!(step(folder, &one), Step::Leave, "{folder}");
        }
        let folder = "AWSLogs/111122223333/CloudTrail/";
        assert_eq!(step(folder, &one), Step::Folders(At::Within));
        assert_eq!(step(&format!("{folder}eu-west-1/"), &one), Step::Keys);
        assert_eq!(step("year=2024/month=03/", &march(1, 2)), Step::Folders(At::Outside));
        assert_eq!(step("year=2024/month=02/", &march(1, 2)), Step::Leave);
        assert_eq!(step("x/date=2024-02-29/", &march(1, 2)), Step::Leave);
    }

    #[test]
    fn other_services_are_named() {
        let other = |folder: &str| step(folder, &ALL());
        assert_eq!(other("AWSLogs/111122223333/vpcflowlogs/"), Step::Other("VPC flow"));
        assert_eq!(other("a/AWSLogs/o-1/111122223333/Config/"), Step::Other("AWS Config"));
        let hive = "AWSLogs/aws-account-id=111122223333/aws-service=vpcflowlogs/";
        assert_eq!(other(hive), Step::Other("VPC flow"));
        let key = "a/AWSLogs/o-1/111122223333/Config/x/y.json.gz";
        let folder = ("a/AWSLogs/o-1/111122223333/Config/", "AWS Config");
        assert_eq!(other_folder(key), Some(folder));
        assert_eq!(other_folder("AWSLogs/111122223333/CloudTrail/x/Config/y"), None);
        assert_eq!(other_folder("AWSLogs/x"), None);
        // What nobody knows may be evidence that was renamed.
        assert_eq!(other("AWSLogs/111122223333/old/"), Step::Folders(At::Above));
        assert_eq!(other("AWSLogs/111122223333/S3backup/"), Step::Folders(At::Above));
    }

    #[test]
    fn any_path_is_placed() {
        for folder in ["/", "//", "AWSLogs", "CloudTrail/", "CloudTrail/x/9/99/", "a/CloudTrail/9/"]
        {
            step(folder, &march(1, 1));
        }
        assert_eq!(
            days("2024", Some("2"), None).unwrap().1,
            NaiveDate::from_ymd_opt(2024, 2, 29).unwrap()
        );
        assert_eq!(
            days("2024", Some("13"), None).unwrap().0,
            NaiveDate::from_ymd_opt(2024, 1, 1).unwrap()
        );
        assert_eq!(days("x", None, None), None);
    }
}
