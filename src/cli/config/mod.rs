//! The configuration file: TOML in the user's configuration directory, or where `--config` says.
//!
//! ```toml
//! case = "acme"             # the case to open when neither --case nor --cache is given
//! memory = "1GiB"
//! threads = 4
//! temp-dir = "/var/tmp"
//! late-days = 2             # days of delivery behind --until that are chosen too
//! strict = true             # refuse what Athena refuses
//! queries = ["/srv/hunting"] # directories of your own saved queries, behind those of --queries
//!
//! [tables]                  # further names of tables
//! "security.trail_logs" = "cloudtrail_logs"
//!
//! [limits]                  # as the flags of the same names
//! max-record-size = "16MiB"
//! max-depth = 128
//! max-keys = 20000
//! max-ratio = 250
//! max-inflated = "64GiB"
//!
//! [aws]                     # as the flags of the same names
//! region = "eu-west-1"
//! profile = "audit"
//! role-arn = "arn:aws:iam::111122223333:role/responder"
//! external-id = "acme"
//! no-sign-request = false
//! requester-pays = false
//! endpoint-url = "https://s3.example.org"
//! path-style = false
//! lookups-per-second = 2
//! ```
//!
//! A setting that is not known is an error: a misspelt limit must not silently be no limit.

use std::{ops::Range, path::Path};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::values;
use crate::{
    ErrorKind, Result,
    aws::AwsOptions,
    engine::table_names,
    error::{Diagnostic, nearest},
};

/// What a configuration file says; what it does not say is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Config {
    pub(super) case: Option<String>,
    pub(super) memory: Option<u64>,
    pub(super) threads: Option<usize>,
    pub(super) temp_dir: Option<String>,
    pub(super) late_days: Option<u16>,
    pub(super) strict: Option<bool>,
    /// Directories of saved queries.
    pub(super) queries: Vec<String>,
    /// (Further name, table), in the order of the names.
    pub(super) tables: Vec<(String, String)>,
    pub(super) limits: Limits,
    pub(super) aws: AwsOptions,
}

/// Bounds on records and on inflation; what is not said is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "the settings are called so")]
pub(super) struct Limits {
    pub(super) max_record_bytes: Option<u64>,
    pub(super) max_depth: Option<u64>,
    pub(super) max_keys: Option<u64>,
    pub(super) max_ratio: Option<u64>,
    pub(super) max_inflated_bytes: Option<u64>,
}

impl Config {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// It cannot be read, is not TOML, or has a setting that is unknown or does not fit.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|source| ErrorKind::Io {
            action: "read the configuration file",
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, &path.display().to_string())
    }

    fn parse(text: &str, origin: &str) -> Result<Self> {
        let file = File { text, origin };
        let root = DeTable::parse(text).map_err(|error| {
            let span = error.span().unwrap_or(text.len()..text.len());
            file.fault(&span, error.message().trim(), None)
        })?;
        let mut config = Self::default();
        for (key, value) in root.get_ref() {
            match &**key.get_ref() {
                "case" => config.case = Some(file.text_of(value, values::case)?),
                "memory" => config.memory = Some(file.size(value, values::memory)?),
                "threads" => {
                    let threads = usize::try_from(file.number(value)?).unwrap_or(usize::MAX);
                    config.threads = Some(threads);
                }
                "temp-dir" => {
                    config.temp_dir = Some(file.text_of(value, |text| Ok(text.to_owned()))?);
                }
                "late-days" => {
                    let days = u16::try_from(file.number_from(0, value)?).unwrap_or(u16::MAX);
                    config.late_days = Some(days);
                }
                "strict" => config.strict = Some(file.boolean(value)?),
                "queries" => config.queries = file.texts(value)?,
                "tables" => config.tables = file.tables(value)?,
                "limits" => config.limits = file.limits(value)?,
                "aws" => config.aws = file.aws(value)?,
                _ => {
                    const KNOWN: [&str; 10] = [
                        "case",
                        "memory",
                        "threads",
                        "temp-dir",
                        "late-days",
                        "strict",
                        "queries",
                        "tables",
                        "limits",
                        "aws",
                    ];
                    return Err(file.unknown(key, &KNOWN));
                }
            }
        }
        Ok(config)
    }
}

/// The file being read, for errors that point into it.
struct File<'a> {
    text: &'a str,
    origin: &'a str,
}

impl File<'_> {
    fn tables(&self, value: &Spanned<DeValue<'_>>) -> Result<Vec<(String, String)>> {
        let mut tables = Vec::new();
        for (name, table) in self.table(value)? {
            let known = self.text_of(table, |text| Ok(text.to_lowercase()))?;
            if !table_names().any(|table| table == known) {
                let help = nearest(&known, table_names()).map_or_else(
                    || format!("the tables are {}", table_names().collect::<Vec<_>>().join(", ")),
                    |near| format!("did you mean `{near}`?"),
                );
                let message = format!("there is no table `{known}`");
                return Err(self.fault(&table.span(), &message, Some(help)));
            }
            tables.push((name.get_ref().to_string(), known));
        }
        Ok(tables)
    }

    fn limits(&self, value: &Spanned<DeValue<'_>>) -> Result<Limits> {
        let mut limits = Limits::default();
        for (key, value) in self.table(value)? {
            match &**key.get_ref() {
                "max-record-size" => {
                    limits.max_record_bytes = Some(self.size(value, values::positive_size)?);
                }
                "max-depth" => limits.max_depth = Some(self.number(value)?),
                "max-keys" => limits.max_keys = Some(self.number(value)?),
                "max-ratio" => limits.max_ratio = Some(self.number(value)?),
                "max-inflated" => {
                    limits.max_inflated_bytes = Some(self.size(value, values::positive_size)?);
                }
                _ => {
                    const KNOWN: [&str; 5] =
                        ["max-record-size", "max-depth", "max-keys", "max-ratio", "max-inflated"];
                    return Err(self.unknown(key, &KNOWN));
                }
            }
        }
        Ok(limits)
    }

    fn aws(&self, value: &Spanned<DeValue<'_>>) -> Result<AwsOptions> {
        let mut aws = AwsOptions::default();
        let text = |value| self.text_of(value, |text| Ok(text.to_owned())).map(Some);
        for (key, value) in self.table(value)? {
            match &**key.get_ref() {
                "region" => aws.region = text(value)?,
                "profile" => aws.profile = text(value)?,
                "role-arn" => aws.role_arn = text(value)?,
                "external-id" => aws.external_id = text(value)?,
                "no-sign-request" => aws.anonymous = self.boolean(value)?,
                "requester-pays" => aws.requester_pays = self.boolean(value)?,
                "endpoint-url" => aws.endpoint_url = Some(self.text_of(value, values::url)?),
                "path-style" => aws.path_style = self.boolean(value)?,
                "lookups-per-second" => {
                    let rate = u16::try_from(self.number(value)?).unwrap_or(u16::MAX);
                    aws.lookups_per_second = Some(rate);
                }
                _ => {
                    const KNOWN: [&str; 9] = [
                        "region",
                        "profile",
                        "role-arn",
                        "external-id",
                        "no-sign-request",
                        "requester-pays",
                        "endpoint-url",
                        "path-style",
                        "lookups-per-second",
                    ];
                    return Err(self.unknown(key, &KNOWN));
                }
            }
        }
        Ok(aws)
    }

    fn table<'v, 'i>(&self, value: &'v Spanned<DeValue<'i>>) -> Result<&'v DeTable<'i>> {
        match value.get_ref() {
            DeValue::Table(table) => Ok(table),
            other => Err(self.expected(value, "a table", other)),
        }
    }

    fn text_of<T>(
        &self,
        value: &Spanned<DeValue<'_>>,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T> {
        match value.get_ref() {
            DeValue::String(text) => {
                parse(text).map_err(|reason| self.fault(&value.span(), &reason, None))
            }
            other => Err(self.expected(value, "a string", other)),
        }
    }

    /// A string, or a list of them.
    fn texts(&self, value: &Spanned<DeValue<'_>>) -> Result<Vec<String>> {
        let text = |value| self.text_of(value, |text| Ok(text.to_owned()));
        match value.get_ref() {
            DeValue::Array(values) => values.iter().map(text).collect(),
            _ => Ok(vec![text(value)?]),
        }
    }

    fn size(
        &self,
        value: &Spanned<DeValue<'_>>,
        parse: impl FnOnce(&str) -> Result<u64, String>,
    ) -> Result<u64> {
        match value.get_ref() {
            DeValue::Integer(_) => {
                let bytes = self.number(value)?.to_string();
                parse(&bytes).map_err(|reason| self.fault(&value.span(), &reason, None))
            }
            _ => self.text_of(value, parse),
        }
    }

    fn boolean(&self, value: &Spanned<DeValue<'_>>) -> Result<bool> {
        match value.get_ref() {
            DeValue::Boolean(value) => Ok(*value),
            other => Err(self.expected(value, "true or false", other)),
        }
    }

    /// A whole number from 1.
    fn number(&self, value: &Spanned<DeValue<'_>>) -> Result<u64> {
        self.number_from(1, value)
    }

    fn number_from(&self, least: u64, value: &Spanned<DeValue<'_>>) -> Result<u64> {
        let wrong = || {
            let message = format!("expected a whole number from {least}");
            self.fault(&value.span(), &message, None)
        };
        match value.get_ref() {
            DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix())
                .ok()
                .filter(|number| *number >= least)
                .ok_or_else(wrong),
            other => Err(self.expected(value, "a whole number", other)),
        }
    }

    fn expected(
        &self,
        value: &Spanned<DeValue<'_>>,
        what: &str,
        found: &DeValue<'_>,
    ) -> crate::Error {
        let message = format!("expected {what}, but found {}", article(found.type_str()));
        self.fault(&value.span(), &message, None)
    }

    fn unknown(&self, key: &Spanned<std::borrow::Cow<'_, str>>, known: &[&str]) -> crate::Error {
        let name = key.get_ref();
        let help = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the settings here are {}", known.join(", ")),
        };
        self.fault(&key.span(), &format!("unknown setting `{name}`"), Some(help))
    }

    fn fault(&self, span: &Range<usize>, message: &str, help: Option<String>) -> crate::Error {
        ErrorKind::Config(Diagnostic {
            message: message.to_owned(),
            text: self.text.to_owned(),
            origin: Some(self.origin.to_owned()),
            span: Some(span.clone()),
            label: None,
            help,
        })
        .into()
    }
}

fn article(kind: &str) -> String {
    let an = kind.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {kind}", if an { "an" } else { "a" })
}

#[cfg(test)]
mod tests;
