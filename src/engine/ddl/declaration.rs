//! `CREATE EXTERNAL TABLE`: what it declares, and what of it is refused.
//!
//! <https://docs.aws.amazon.com/athena/latest/ug/create-table.html>,
//! <https://docs.aws.amazon.com/athena/latest/ug/cloudtrail-logs.html>

use datafusion::sql::sqlparser::tokenizer::{Span, Token};

use super::{
    cursor::{Cursor, Name, Text, fault},
    hive_type::HiveType,
    projection::{self, Projection, Properties},
};
use crate::engine::rewrite::Fault;

/// The `SerDe`s that read CloudTrail's files, by the class that a table names.
const SERDES: [&str; 3] = [
    "com.amazon.emr.hive.serde.CloudTrailSerde",
    "org.apache.hive.hcatalog.data.JsonSerDe",
    "org.openx.data.jsonserde.JsonSerDe",
];

const SERDES_HELP: &str = "the SERDEs of CloudTrail's logs are \
    com.amazon.emr.hive.serde.CloudTrailSerde, org.apache.hive.hcatalog.data.JsonSerDe and \
    org.openx.data.jsonserde.JsonSerDe";

/// The input formats of files of JSON.
const INPUT_FORMATS: [&str; 2] =
    ["com.amazon.emr.cloudtrail.CloudTrailInputFormat", "org.apache.hadoop.mapred.TextInputFormat"];

/// Properties of a `SerDe` that change no value of a column that CloudTrail has.
const SERDE_PROPERTIES: [&str; 6] = [
    "case.insensitive",
    "dots.in.keys",
    "ignore.malformed.json",
    "paths",
    "serialization.format",
    "strip.outer.array",
];

/// A column as it was declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::engine) struct Declared {
    /// In lower case.
    pub(in crate::engine) name: String,
    pub(in crate::engine) ty: HiveType,
    pub(in crate::engine) comment: Option<String>,
}

/// A table as it was declared.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Declaration {
    pub(in crate::engine) name: Name,
    pub(in crate::engine) if_not_exists: bool,
    pub(in crate::engine) columns: Vec<Declared>,
    pub(in crate::engine) partitions: Vec<Declared>,
    /// As written.
    pub(in crate::engine) location: String,
    pub(super) projection: Option<Projection>,
}

/// The clauses behind the columns.
#[derive(Default)]
struct Clauses {
    partitions: Option<Vec<Declared>>,
    serde: Option<Text>,
    serde_properties: Properties,
    input: Option<Text>,
    location: Option<Text>,
    properties: Properties,
}

impl Declaration {
    /// Reads what follows `CREATE EXTERNAL TABLE`.
    pub(super) fn parse(cursor: &mut Cursor) -> Result<Self, Fault> {
        let if_not_exists = cursor.eats(&["if", "not", "exists"]);
        let name = cursor.table()?;
        let has_columns = cursor.eats_token(&Token::LParen);
        let mut columns = Vec::new();
        if has_columns {
            columns.push(column(cursor)?);
            while cursor.eats_token(&Token::Comma) {
                columns.push(column(cursor)?);
            }
            cursor.take(&Token::RParen)?;
        }
        let mut clauses = Clauses::default();
        while !cursor.is_done() {
            clauses.read(cursor)?;
        }
        let end = cursor.span();
        clauses.check(&name, end)?;
        if columns.is_empty() {
            return Err(fault(name.span, "the table declares no columns".to_owned(), None));
        }
        let partitions = clauses.partitions.unwrap_or_default();
        check_columns(&columns, &partitions, name.span)?;
        let projection = projection::projection(&clauses.properties, &partitions, end)?;
        let Some(location) = clauses.location else {
            return Err(fault(end, "expected LOCATION '…'".to_owned(), None));
        };
        check_location(&location)?;
        Ok(Self { name, if_not_exists, columns, partitions, location: location.value, projection })
    }
}

/// Fails where a location names no folder, which would be all there is.
pub(super) fn check_location(location: &Text) -> Result<(), Fault> {
    let folder = location.value.trim();
    let names_one = match folder.split_once("://") {
        Some((_, behind)) => !behind.trim_start_matches('/').is_empty(),
        None => !folder.is_empty(),
    };
    if names_one {
        return Ok(());
    }
    let message = format!("the location `{}` names no folder", location.value);
    Err(fault(location.span, message, None))
}

fn column(cursor: &mut Cursor) -> Result<Declared, Fault> {
    let name = cursor.name("a column's name")?;
    // Some write a colon here, as in a STRUCT.
    let ty = HiveType::parse(cursor)?;
    let comment = if cursor.eats(&["comment"]) {
        Some(cursor.text("a comment in quotes")?.value)
    } else {
        None
    };
    Ok(Declared { name, ty, comment })
}

fn check_columns(columns: &[Declared], partitions: &[Declared], at: Span) -> Result<(), Fault> {
    for (n, column) in columns.iter().chain(partitions).enumerate() {
        if columns.iter().chain(partitions).take(n).any(|known| known.name == column.name) {
            return Err(fault(at, format!("column `{}` is declared twice", column.name), None));
        }
    }
    if columns.iter().any(|column| column.name == "records") {
        let message = "a column `records` would make one row of a whole file, which is not \
                       supported";
        let help = "declare the columns of an event; the rows are the events";
        return Err(fault(at, message.to_owned(), Some(help)));
    }
    if let Some(column) = columns.iter().find(|column| column.ty.has_date()) {
        let message = format!("column `{}` cannot be a DATE: JSON has none", column.name);
        return Err(fault(at, message, Some("declare it as STRING")));
    }
    for column in partitions {
        let is_plain = matches!(
            column.ty,
            HiveType::String
                | HiveType::TinyInt
                | HiveType::SmallInt
                | HiveType::Int
                | HiveType::BigInt
                | HiveType::Date
        );
        if !is_plain {
            let message = format!("partition column `{}` cannot have this type", column.name);
            let help = "partition columns are STRING, DATE or whole numbers";
            return Err(fault(at, message, Some(help)));
        }
    }
    Ok(())
}

impl Clauses {
    fn read(&mut self, cursor: &mut Cursor) -> Result<(), Fault> {
        let at = cursor.span();
        let refused =
            |what: &str, help: &str| Err(fault(at, format!("{what} is not supported"), Some(help)));
        if cursor.eats(&["comment"]) {
            cursor.text("a comment in quotes").map(drop)
        } else if cursor.eats(&["partitioned", "by"]) {
            let partitions = cursor.list(column)?;
            once(&mut self.partitions, partitions, at)
        } else if cursor.eats(&["row", "format", "serde"]) {
            let serde = cursor.text("a class in quotes")?;
            once(&mut self.serde, serde, at)?;
            if cursor.eats(&["with", "serdeproperties"]) {
                self.serde_properties = properties(cursor)?;
            }
            Ok(())
        } else if cursor.eats(&["row", "format", "delimited"]) {
            refused("ROW FORMAT DELIMITED", SERDES_HELP)
        } else if cursor.eats(&["stored", "as", "inputformat"]) {
            let input = cursor.text("a class in quotes")?;
            once(&mut self.input, input, at)?;
            cursor.words(&["outputformat"])?;
            cursor.text("a class in quotes").map(drop)
        } else if cursor.eats(&["stored", "as"]) {
            let format = cursor.name("a format")?.to_uppercase();
            if format == "TEXTFILE" {
                return Ok(());
            }
            let help = "STORED AS INPUTFORMAT 'com.amazon.emr.cloudtrail.CloudTrailInputFormat' \
                        OUTPUTFORMAT '…' reads CloudTrail's logs";
            refused(&format!("STORED AS {format}"), help)
        } else if cursor.eats(&["location"]) {
            let location = cursor.text("a location in quotes")?;
            once(&mut self.location, location, at)
        } else if cursor.eats(&["tblproperties"]) {
            self.properties = properties(cursor)?;
            Ok(())
        } else if cursor.eats(&["clustered", "by"]) {
            refused("CLUSTERED BY", "files are pruned by what the cache knows of them")
        } else {
            Err(cursor
                .expected("PARTITIONED BY, ROW FORMAT SERDE, STORED AS, LOCATION or TBLPROPERTIES"))
        }
    }

    fn check(&self, name: &Name, end: Span) -> Result<(), Fault> {
        let Some(serde) = &self.serde else {
            let message = format!("table `{}` names no SERDE", name.name);
            return Err(fault(end, message, Some(SERDES_HELP)));
        };
        if !SERDES.contains(&serde.value.trim()) {
            let message = format!("SERDE `{}` is not supported", serde.value);
            return Err(fault(serde.span, message, Some(SERDES_HELP)));
        }
        if let Some(input) = &self.input
            && !INPUT_FORMATS.contains(&input.value.trim())
        {
            let message = format!("input format `{}` is not supported", input.value);
            let help = "CloudTrail's is com.amazon.emr.cloudtrail.CloudTrailInputFormat";
            return Err(fault(input.span, message, Some(help)));
        }
        for (key, text) in &self.serde_properties {
            if !SERDE_PROPERTIES.contains(&key.as_str()) {
                let message = format!("the SERDE's property `{key}` is not supported");
                return Err(fault(text.span, message, None));
            }
        }
        if let Some(text) = self.properties.get("skip.header.line.count")
            && text.value.trim() != "0"
        {
            let message = "`skip.header.line.count` is not supported: JSON has no header";
            return Err(fault(text.span, message.to_owned(), None));
        }
        Ok(())
    }
}

fn once<T>(place: &mut Option<T>, value: T, at: Span) -> Result<(), Fault> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(fault(at, "this clause is there twice".to_owned(), None)),
    }
}

fn properties(cursor: &mut Cursor) -> Result<Properties, Fault> {
    let pairs = cursor.list(|cursor| {
        let key = cursor.text("a property in quotes")?;
        cursor.take(&Token::Eq)?;
        Ok((key.value.to_lowercase(), cursor.text("a value in quotes")?))
    })?;
    Ok(pairs.into_iter().collect())
}
