//! Placeholders where published queries leave the name of a table open: `FROM <EDS ID>`, `$EDS_ID`,
//! `{store_id}`, `event_data_store_id`.

use datafusion::sql::sqlparser::ast::Ident;

use super::{Kind, Place, Taken};

/// The table that `name`, which is no table's, holds the place of; nothing where it is no placeholder.
pub(in crate::engine) fn placeholder(name: &Ident) -> Option<(&'static str, Taken)> {
    let text = name.value.trim();
    let bare: String =
        text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let is_open = text.starts_with(['<', '$', '{', '[']);
    let of_lake =
        ["eventdatastore", "edsid", "storeid", "edsarn"].iter().any(|part| bare.contains(part));
    // AWS's documents hide parts of ids so: `EXAMPLE-f852-4e8f-8bd1-bcf6cEXAMPLE`.
    let hidden_id = text.contains('-') && bare.starts_with("example");
    if !(is_open || of_lake || hidden_id || bare == "eds") {
        return None;
    }
    let of_athena = ["table", "athena", "logs"].iter().any(|part| bare.contains(part));
    let (table, strict) = if of_athena && !of_lake {
        ("cloudtrail_logs", "the name of the table there")
    } else {
        ("cloudtrail_lake", "the id of the event data store there")
    };
    let mut taken = Taken {
        kind: Kind::Placeholder,
        place: Place::Tree(name.span),
        written: String::new(),
        meant: format!("`{table}`"),
        strict: strict.to_owned(),
        fault: String::new(),
    };
    respell(&mut taken, text);
    Some((table, taken))
}

/// Spells `taken` as `text` has it, which is what stands in its place.
pub(super) fn respell(taken: &mut Taken, text: &str) {
    taken.written = format!("`{text}`");
    taken.fault = format!("`{text}` only holds the place of a table's name");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_told_from_names() {
        let table = |name: &str| placeholder(&Ident::new(name)).map(|(table, _)| table);
        for lake in
            ["<EDS ID>", "$EDS_ID", "{store_id}", "${eds_id}", "event_data_store_ID", "EDS_ID"]
        {
            assert_eq!(table(lake), Some("cloudtrail_lake"), "{lake}");
        }
        assert_eq!(table("EXAMPLE-f852-4e8f-8bd1-bcf6cEXAMPLE"), Some("cloudtrail_lake"));
        assert_eq!(table("<your_table_name>"), Some("cloudtrail_logs"));
        for name in ["cloudtrail_log", "stores", "vpc-flow", "example"] {
            assert_eq!(table(name), None, "{name}");
        }
    }
}
