//! The regions whose event history is asked where none is told.

/// Regions of every account of AWS's commercial partition: they cannot be switched off.
///
/// Source: "AWS Regions" of the AWS Regions and Availability Zones guide, as of November 2026.
const ALWAYS_ON: &[&str] = &[
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
];

/// Regions that an account must enable. Same source.
const OPT_IN: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
];

/// Those of the other partitions, each of which has accounts of its own.
const CHINA: &[&str] = &["cn-north-1", "cn-northwest-1"];
const GOV_CLOUD: &[&str] = &["us-gov-east-1", "us-gov-west-1"];

/// All regions of the partition that `home` lies in; `home` itself where the partition is not
/// known here.
pub(super) fn of_partition(home: &str) -> Vec<String> {
    let known = [[ALWAYS_ON, OPT_IN].concat(), CHINA.to_vec(), GOV_CLOUD.to_vec()];
    let own = known.into_iter().find(|regions| regions.contains(&home));
    own.unwrap_or_else(|| vec![home]).into_iter().map(str::to_owned).collect()
}

/// Whether an account may have the region switched off.
pub(super) fn is_opt_in(region: &str) -> bool {
    OPT_IN.contains(&region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_has_its_own_regions() {
        assert_eq!(of_partition("eu-west-1").len(), 34);
        assert_eq!(of_partition("me-south-1"), of_partition("us-east-1"));
        assert_eq!(of_partition("us-gov-west-1"), ["us-gov-east-1", "us-gov-west-1"]);
        assert_eq!(of_partition("eusc-de-east-1"), ["eusc-de-east-1"]);
    }
}
