//! The names there are.

use crate::{
    engine::{Name, NameKind, Session},
    queries::Library,
};

/// The names there are.
#[derive(Debug, Clone, Default)]
pub(in crate::repl) struct Names {
    /// Tables.
    pub(in crate::repl) tables: Vec<String>,
    /// Columns, with the tables they are of.
    pub(in crate::repl) columns: Vec<(String, String)>,
    /// Members of struct columns, by their whole path: `useridentity.arn`.
    pub(in crate::repl) fields: Vec<String>,
    /// Functions.
    pub(in crate::repl) functions: Vec<String>,
    /// Keywords, in capitals.
    pub(in crate::repl) keywords: Vec<String>,
    /// Settings.
    pub(in crate::repl) settings: Vec<String>,
    /// Saved queries.
    pub(in crate::repl) queries: Vec<Saved>,
}

/// A saved query.
#[derive(Debug, Clone, Default)]
pub(in crate::repl) struct Saved {
    /// Its name.
    pub(in crate::repl) name: String,
    /// Its parameters, and whether each may be left out.
    pub(in crate::repl) parameters: Vec<(String, bool)>,
}

impl Names {
    /// The names that `session` and `library` know.
    pub(in crate::repl) fn of(session: &Session, library: Option<&Library>) -> Self {
        let mut names = Self::default();
        for Name { text, kind } in session.names() {
            match kind {
                NameKind::Table => names.tables.push(text),
                NameKind::Column { of, .. } => names.columns.push((of, text)),
                NameKind::Field => names.fields.push(text),
                NameKind::Function => names.functions.push(text),
                NameKind::Keyword => names.keywords.push(text),
            }
        }
        names.settings = session.settings().into_iter().map(|(name, _)| name).collect();
        for query in library.into_iter().flat_map(|library| library.find("")) {
            let parameters = query.parameters.iter();
            let parameters = parameters.map(|it| (it.name.clone(), it.default.is_some()));
            names
                .queries
                .push(Saved { name: query.name.clone(), parameters: parameters.collect() });
        }
        names
    }

    /// The saved query called `name`.
    pub(in crate::repl) fn query(&self, name: &str) -> Option<&Saved> {
        self.queries.iter().find(|query| query.name == name)
    }
}
