//! Names and values that fit.

use super::{
    super::{
        commands::{self, Argument},
        values::{Found, Subject, Values},
    },
    Context, Names, context,
    context::{tables_named, tables_with},
};

/// The most names or values that are offered at once. The editor draws them all.
const MAX_OFFERED: usize = 1_000;

/// Completes what is typed.
#[derive(Debug, Clone, Default)]
pub(in crate::repl) struct Words {
    /// The names there are.
    pub(in crate::repl) names: Names,
    /// The values there are.
    pub(in crate::repl) values: Values,
}

/// What is offered for the word under the cursor.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::repl) struct Offer {
    /// The byte at which it starts.
    pub(in crate::repl) start: usize,
    /// What may stand there, in order.
    pub(in crate::repl) found: Vec<String>,
    /// What to tell beside: that there is more.
    pub(in crate::repl) note: Option<String>,
}

impl Offer {
    fn new(start: usize) -> Self {
        Self { start, ..Self::default() }
    }

    /// Offers values as they are.
    pub(in crate::repl) fn of(start: usize, found: Found) -> Self {
        let mut offer = Self::new(start);
        offer.add_values(found, str::to_owned);
        offer.bounded()
    }

    /// Adds those of `all` that begin with `typed`, sorted.
    fn add<'n>(&mut self, typed: &str, all: impl IntoIterator<Item = &'n str>) {
        let all = all.into_iter().filter(|name| starts_with(name, typed));
        let mut fitting: Vec<&str> = all.collect();
        fitting.sort_unstable();
        fitting.dedup();
        for name in fitting {
            if !self.found.iter().any(|other| other == name) {
                self.found.push(name.to_owned());
            }
        }
    }

    /// Adds values, spelled for where they stand.
    fn add_values(&mut self, found: Found, spell: impl Fn(&str) -> String) {
        let Found { values, is_partial } = found;
        self.found.extend(values.iter().map(|value| spell(value)));
        if is_partial {
            self.note = Some("… values may be missing: the column has more than are kept".into());
        }
    }

    /// Bounds what is offered; what is left out is told.
    fn bounded(mut self) -> Self {
        let more = self.found.len().saturating_sub(MAX_OFFERED);
        if more > 0 {
            self.found.truncate(MAX_OFFERED);
            self.note = Some(format!("… {} more", crate::output::human::count(more as u64)));
        }
        self
    }
}

impl Words {
    /// What may stand at `cursor` in `line`.
    pub(in crate::repl) fn complete(&self, line: &str, cursor: usize) -> Offer {
        let (start, context) = context(line, cursor);
        let typed = line.get(start..cursor).unwrap_or_default();
        let mut offer = Offer::new(start);
        match context {
            Context::Nothing => {}
            Context::Command => {
                offer.add(typed, commands::COMMANDS.iter().flat_map(|it| [it.name, it.alias]));
                // psql's names are for fingers that know them; they are offered when begun.
                let begun = typed.len() > 1;
                offer.found.retain(|name| !name.is_empty() && (name.starts_with('.') || begun));
                // Where arguments follow a command that is certain, a space does, too.
                if let [only] = offer.found.as_mut_slice()
                    && commands::find(only).is_some_and(|command| !command.usage.is_empty())
                {
                    only.push(' ');
                }
            }
            Context::Argument(argument, given) => {
                return self.argument(argument, &given, start, typed).bounded();
            }
            Context::Table => {
                let with = tables_with(line);
                offer.add(typed, self.names.tables.iter().chain(&with).map(String::as_str));
            }
            Context::Setting => offer.add(typed, self.names.settings.iter().map(String::as_str)),
            Context::Member(path) => self.members(line, &path, typed, &mut offer),
            Context::Value(column) => {
                let typed = typed.replace("''", "'");
                offer.add_values(self.values.find(&[column], &typed), |it| it.replace('\'', "''"));
                // A value that is certain is whole: its quote is closed with it.
                let is_closed = line.get(cursor..).is_some_and(|rest| rest.starts_with('\''));
                if let ([only], false) = (offer.found.as_mut_slice(), is_closed) {
                    only.push('\'');
                }
            }
            Context::Word => self.words(line, typed, &mut offer),
        }
        offer.bounded()
    }

    /// Columns of the tables that the statement names, or of all; tables, functions, keywords.
    fn words(&self, line: &str, typed: &str, offer: &mut Offer) {
        let named = tables_named(line);
        let known = |table: &str| self.names.tables.iter().any(|known| known == table);
        let all_known = !named.is_empty() && named.iter().all(|(table, _)| known(table));
        let has_columns =
            |table: &str| self.names.columns.iter().any(|(of, _)| of == table_of(table));
        let by_table = all_known && named.iter().all(|(table, _)| has_columns(table));
        let columns =
            self.names.columns.iter().filter(|(of, _)| {
                !by_table || named.iter().any(|(table, _)| table_of(table) == of)
            });
        offer.add(typed, columns.map(|(_, name)| name.as_str()));
        offer.add(typed, named.iter().filter_map(|(_, alias)| alias.as_deref()));
        offer.add(typed, self.names.tables.iter().map(String::as_str));
        offer.add(typed, self.names.functions.iter().map(String::as_str));
        let is_lower = typed.starts_with(|c: char| c.is_lowercase());
        let spell = |word: &String| if is_lower { word.to_lowercase() } else { word.clone() };
        let keywords: Vec<String> = self.names.keywords.iter().map(spell).collect();
        offer.add(typed, keywords.iter().map(String::as_str));
    }

    /// Members of the struct, or columns of the table or alias, that `path` names.
    fn members(&self, line: &str, path: &str, typed: &str, offer: &mut Offer) {
        let named = tables_named(line);
        let last = path.rsplit('.').next().unwrap_or_default();
        let aliased = named.iter().find(|(_, alias)| alias.as_deref() == Some(path));
        let table = match aliased {
            Some((table, _)) => Some(table_of(table)),
            None => self.names.tables.iter().find(|table| *table == last).map(|it| table_of(it)),
        };
        if let Some(table) = table {
            let columns = self.names.columns.iter().filter(|(of, _)| of == table);
            offer.add(typed, columns.map(|(_, name)| name.as_str()));
        } else {
            let members = self.names.fields.iter().filter_map(|field| member_of(field, path));
            offer.add(typed, members);
        }
    }

    pub(super) fn argument(
        &self,
        argument: Argument,
        given: &[String],
        start: usize,
        typed: &str,
    ) -> Offer {
        let mut offer = Offer::new(start);
        match argument {
            Argument::Table => offer.add(typed, self.names.tables.iter().map(String::as_str)),
            Argument::OneOf(words) => offer.add(typed, words.iter().copied()),
            Argument::Command => {
                offer.add(typed, commands::COMMANDS.iter().map(|command| command.name));
                offer.add(typed, self.names.functions.iter().map(String::as_str));
            }
            Argument::Function => {
                offer.add(typed, self.names.functions.iter().map(String::as_str));
            }
            Argument::Setting if given.is_empty() => {
                offer.add(typed, self.names.settings.iter().map(String::as_str));
            }
            Argument::Setting | Argument::Free => {}
            Argument::Path => offer.found = paths(typed),
            Argument::Query(_) if given.is_empty() => {
                offer.add(typed, self.names.queries.iter().map(|query| query.name.as_str()));
                if let [only] = offer.found.as_mut_slice() {
                    only.push(' ');
                }
            }
            Argument::Query(flags) => {
                offer.add(typed, flags.iter().copied());
                if flags.is_empty() {
                    return self.parameter(given, start, typed);
                }
            }
            Argument::Value(subject) => return self.value(subject.columns(), start, typed),
        }
        offer
    }

    /// A parameter of the saved query that was named first, or its value: `key=AKIA…`.
    fn parameter(&self, given: &[String], start: usize, typed: &str) -> Offer {
        let query = given.first().and_then(|name| self.names.query(name));
        if let Some((name, value)) = typed.split_once('=') {
            let columns = Subject::of_parameter(name);
            let behind = start + name.len() + 1;
            // A list's elements are parted by commas: the last one is completed.
            let last = value.rfind(',').map_or(0, |at| at + 1);
            return self.value(columns, behind + last, value.get(last..).unwrap_or_default());
        }
        let mut offer = Offer::new(start);
        let is_given = |name: &str| {
            given.iter().any(|word| word.strip_prefix(name).is_some_and(|it| it.starts_with('=')))
        };
        let parameters = query.into_iter().flat_map(|query| &query.parameters);
        let names: Vec<String> = parameters
            .filter(|(name, _)| !is_given(name))
            .map(|(name, _)| format!("{name}="))
            .collect();
        offer.add(typed, names.iter().map(String::as_str));
        offer
    }

    /// A value of `columns` as an argument: quoted where it has spaces or quotes.
    fn value(&self, columns: &[&str], start: usize, typed: &str) -> Offer {
        let mut offer = Offer::new(start);
        let begun = typed.trim_start_matches(['\'', '"']);
        offer.add_values(self.values.find(columns, begun), commands::as_argument);
        offer
    }
}

/// The table's own name where `name` is another one of it.
fn table_of(name: &str) -> &str {
    if name == "cloudtrail" { "cloudtrail_logs" } else { name }
}

/// The last part of `field` where all that stands before it is the end of `path`, which may have
/// a table's name or alias in front.
fn member_of<'f>(field: &'f str, path: &str) -> Option<&'f str> {
    let (parent, member) = field.rsplit_once('.')?;
    let is_parent =
        path == parent || path.strip_suffix(parent).is_some_and(|in_front| in_front.ends_with('.'));
    is_parent.then_some(member)
}

fn starts_with(name: &str, typed: &str) -> bool {
    name.get(..typed.len()).is_some_and(|head| head.eq_ignore_ascii_case(typed))
}

/// The files and directories whose path starts with `typed`, which may begin with `~/`; as an
/// argument, in quotes where their names have spaces.
fn paths(typed: &str) -> Vec<String> {
    let typed = typed.trim_start_matches(['\'', '"']);
    let (dir, name) = match typed.rfind('/') {
        Some(at) => typed.split_at(at + 1),
        None => ("", typed),
    };
    let place = commands::expanded(dir);
    let Ok(entries) = std::fs::read_dir(if dir.is_empty() { ".".into() } else { place }) else {
        return Vec::new();
    };
    let mut found: Vec<String> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let file = entry.file_name().into_string().ok()?;
            let is_hidden = file.starts_with('.') && !name.starts_with('.');
            let is_plain = !file.chars().any(crate::output::sanitize::is_hidden);
            let slash = if entry.path().is_dir() { "/" } else { "" };
            (file.starts_with(name) && !is_hidden && is_plain)
                .then(|| commands::as_argument(&format!("{dir}{file}{slash}")))
        })
        .collect();
    found.sort();
    found
}
