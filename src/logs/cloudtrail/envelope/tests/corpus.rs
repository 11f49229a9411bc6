use std::{collections::BTreeMap, fs, path::Path};

use flate2::bufread::MultiGzDecoder;

use super::*;

/// What is in each folder of the published logs: files, files with records, files with an empty
/// `Records`, and records. Counted apart from the framer, with Python's `json`.
const COUNTS: &[(&str, [usize; 4])] = &[
    ("README.md", [1, 0, 0, 0]),
    ("custodian", [39, 25, 0, 25]),
    ("invictus", [56, 55, 0, 2900]),
    ("opensearch", [15, 2, 0, 51]),
    ("otrf", [5, 1, 0, 103]),
    ("plaso", [3, 1, 0, 6]),
    ("stratus", [27, 25, 0, 179]),
    ("traildiscover", [366, 355, 0, 355]),
    ("umccr", [24, 20, 1, 206]),
];

/// What the files without records are, by folder and name.
const OTHERS: &[(&str, &str, usize)] = &[
    ("README.md", "Markdown text", 1),
    ("custodian", "AWS Config event", 1),
    ("custodian", "AWS Config rule event", 2),
    ("custodian", "EventBridge event: AWS Health Event", 1),
    ("custodian", "EventBridge event: EC2 Instance Launch Unsuccessful", 1),
    ("custodian", "EventBridge event: EC2 Instance State-change Notification", 1),
    ("custodian", "EventBridge event: Scheduled Event", 1),
    ("custodian", "EventBridge event: Security Hub Insight Results", 1),
    ("custodian", "GuardDuty finding", 2),
    ("custodian", "Security Hub finding", 3),
    ("custodian", "licence text", 1),
    ("invictus", "licence text", 1),
    ("opensearch", "CloudFront access log", 2),
    ("opensearch", "ELB access log", 2),
    ("opensearch", "Network Firewall log", 1),
    ("opensearch", "RDS log", 2),
    ("opensearch", "S3 server access log", 2),
    ("opensearch", "VPC flow log", 1),
    ("opensearch", "WAF log", 2),
    ("opensearch", "licence text", 1),
    ("otrf", "CSV table", 1),
    ("otrf", "licence text", 1),
    ("otrf", "zip archive", 2),
    ("plaso", "ELB access log", 1),
    ("plaso", "licence text", 1),
    ("stratus", "licence text", 1),
    ("stratus", "text", 1),
    ("traildiscover", "empty JSON array", 10),
    ("traildiscover", "licence text", 1),
    ("umccr", "licence text", 1),
    ("umccr", "text", 2),
];

/// A file's bytes, inflated.
fn read(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    if !bytes.starts_with(b"\x1F\x8B") {
        return bytes;
    }
    let mut inflated = Vec::new();
    std::io::copy(&mut MultiGzDecoder::new(bytes.as_slice()), &mut inflated).unwrap();
    inflated
}

#[test]
fn published_logs_give_what_an_independent_reader_counts() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    if !root.is_dir() {
        println!("skipped: no published logs beside the checkout");
        return;
    }
    let mut counts: BTreeMap<String, [usize; 4]> = BTreeMap::new();
    let mut others: BTreeMap<(String, String), usize> = BTreeMap::new();
    for entry in walkdir::WalkDir::new(&root) {
        let entry = entry.unwrap();
        if !entry.file_type().is_file() {
            continue;
        }
        let below = entry.path().strip_prefix(&root).unwrap();
        let folder = below.components().next().unwrap().as_os_str().to_str().unwrap().to_owned();
        let bytes = read(entry.path());
        let framed = frame(&bytes);
        assert_eq!(framed, frame_with(Limits::default(), &bytes, &[1777]), "{}", below.display());
        assert_eq!(framed.n_rejects(), 0, "{}", below.display());
        let n = framed.records().len();
        let counted = counts.entry(folder.clone()).or_default();
        counted[0] += 1;
        counted[3] += n;
        match framed.kind {
            Kind::CloudTrail if n > 0 => counted[1] += 1,
            Kind::CloudTrail => counted[2] += 1,
            Kind::Other(name) => *others.entry((folder, name)).or_default() += 1,
            damaged @ Kind::Damaged { .. } => panic!("{}: {damaged:?}", below.display()),
        }
    }
    let found: Vec<_> = counts.iter().map(|(folder, n)| (folder.as_str(), *n)).collect();
    assert_eq!(found, COUNTS);
    let found: Vec<_> =
        others.iter().map(|((f, name), n)| (f.as_str(), name.as_str(), *n)).collect();
    assert_eq!(found, OTHERS);
}
