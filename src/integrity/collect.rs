//! What lies in the sources: digests, log files, the sidecars with signatures; by account and region.

use std::{
    collections::{BTreeMap, HashMap},
    io::{self, Read as _},
    sync::Arc,
};

use super::{VerifyOptions, digest::Name, place, time};
use crate::{
    Result,
    ingest::Progress,
    source::{self, Fetcher, Filter, ListOptions, LogFile, Why, archive},
};

/// What may follow a digest file's name to tell its metadata: the output of
/// `aws s3api head-object`.
const SIDECARS: [&str; 2] = [".meta.json", ".metadata.json"];

/// The digests and log files of one account and region.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) digests: Vec<LogFile>,
    pub(super) logs: Vec<LogFile>,
}

impl Group {
    pub(super) fn n_files(&self) -> usize {
        self.digests.len() + self.logs.len()
    }
}

/// What the sources hold.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// By account, then region.
    pub(super) groups: Vec<Group>,
    /// By the URI of the file they tell of.
    pub(super) sidecars: HashMap<Arc<str>, LogFile>,
    /// What the listing leaves out, and what to know of it.
    pub(super) notices: Vec<String>,
    /// What is neither, and is no fault.
    pub(super) n_other: u64,
    /// What cannot be read: (URI, why).
    pub(super) faults: Vec<(String, String)>,
}

impl Found {
    /// Lists the sources, and the archives in them.
    pub(super) fn list(
        options: &VerifyOptions,
        fetcher: &Arc<Fetcher>,
        progress: &Progress,
    ) -> Result<Self> {
        let VerifyOptions { filter, aws, temp_dir, .. } = options;
        let listing = source::list(
            &options.sources,
            &ListOptions {
                filter,
                aws,
                versions: options.versions,
                inventories: &options.inventories,
                n_listed: &progress.n_listed,
                temp_dir,
                cancelled: &progress.cancelled,
                fetcher,
                histories: &Arc::default(),
            },
        )?;
        let mut sorting = Sorting { filter, groups: BTreeMap::new(), found: Found::default() };
        sorting.found.notices = listing.notices;
        sorting.unread(listing.unread);
        sorting.files(listing.files);
        let Sorting { found: mut all, groups, .. } = sorting;
        all.groups = groups.into_values().collect();
        Ok(all)
    }
}

struct Sorting<'a> {
    filter: &'a Filter,
    groups: BTreeMap<(String, String), Group>,
    found: Found,
}

impl Sorting<'_> {
    fn unread(&mut self, unread: Vec<source::Unread>) {
        for unread in unread {
            match unread.why {
                Why::Fault(reason) => self.found.faults.push((unread.uri.to_string(), reason)),
                Why::Other(_) => self.found.n_other += 1,
            }
        }
    }

    fn files(&mut self, files: Vec<LogFile>) {
        for file in files {
            if file.once || file.is_archive_by_name() {
                match self.members(&file) {
                    Ok(true) => {}
                    Ok(false) => self.found.faults.push((
                        file.uri.to_string(),
                        "an archive that cannot be read in place: unpack it, and verify the \
                         directory"
                            .to_owned(),
                    )),
                    Err(error) => {
                        let reason = format!("cannot be read: {}", source::plain_text(&error));
                        self.found.faults.push((file.uri.to_string(), reason));
                    }
                }
            } else {
                self.file(file);
            }
        }
    }

    /// Goes into an archive that can be read in place; `false` where it cannot be.
    fn members(&mut self, file: &LogFile) -> io::Result<bool> {
        let Some(window) = file.opener.window(file)?.filter(|_| !file.once) else {
            return Ok(false);
        };
        let mut head = Vec::with_capacity(archive::SNIFF_BYTES);
        io::copy(&mut window.reader()?.take(archive::SNIFF_BYTES as u64), &mut head)?;
        let Some(format) = archive::sniff(&head).filter(|_| file.depth < archive::MAX_DEPTH) else {
            return Ok(false);
        };
        let members = archive::expand(file, &window, format, self.filter)?;
        if let Some((_, reason)) = members.damage {
            self.found.faults.push((file.uri.to_string(), reason));
        }
        self.unread(members.unread);
        self.files(members.files);
        Ok(true)
    }

    fn file(&mut self, file: LogFile) {
        for ending in SIDECARS {
            if let Some(uri) = file.uri.strip_suffix(ending) {
                self.found.sidecars.insert(uri.into(), file);
                return;
            }
        }
        let is_json =
            [".json.gz", ".json"].iter().any(|ending| file.unversioned_uri().ends_with(ending));
        let (Some(kind), true) = (file.key.kind.as_deref(), is_json) else {
            self.found.n_other += 1;
            return;
        };
        let is_digest = kind == "CloudTrail-Digest";
        let account = file.key.account.clone().unwrap_or_default();
        let region = file.key.region.clone().unwrap_or_default();
        let group = self.groups.entry((account.clone(), region.clone())).or_insert_with(|| Group {
            account,
            region,
            ..Group::default()
        });
        if is_digest { group.digests.push(file) } else { group.logs.push(file) }
    }
}

/// When a log file was delivered, as its name tells, else the day of its key.
pub(super) fn delivered_at(file: &LogFile) -> Option<i64> {
    delivery_time(file.unversioned_uri()).or_else(|| {
        let (year, month, day) = file.key.day?;
        let day = chrono::NaiveDate::from_ymd_opt(year, month, day)?;
        Some(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros())
    })
}

/// The time in the name at the end of a log file's path; old names have no underscore behind it.
pub(super) fn delivery_time(path: &str) -> Option<i64> {
    let stem = place::stem(place::file_name(path));
    if stem.contains("_CloudTrail-Digest_") {
        return Name::parse(path).end;
    }
    let word = stem.splitn(4, '_').nth(3)?;
    let end = word.find('Z')? + 1;
    time::of_name(word.get(..end)?)
}
