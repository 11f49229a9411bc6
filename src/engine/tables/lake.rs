//! `cloudtrail_lake`: the events in the schema of a `CloudTrail` Lake event data store.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/query-supported-event-schemas.html>

use std::borrow::Cow;

use datafusion::{
    arrow::datatypes::DataType,
    datasource::provider_as_source,
    error::Result,
    functions::core::expr_fn::get_field,
    logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit, try_cast},
    scalar::ScalarValue,
};

use super::{Column, SnapshotTables, logs};
use crate::{
    cache::Table,
    engine::computed::{event_json, instant, json_map, map_of, resources, row_of},
    logs::cloudtrail::schema,
};

const MAP: &str = "map(varchar, varchar)";
const TEXT: &str = "varchar";

const USER_IDENTITY: &str = "row(type varchar, principalid varchar, arn varchar, accountid \
    varchar, accesskeyid varchar, username varchar, sessioncontext row(attributes \
    row(creationdate timestamp(6) with time zone, mfaauthenticated varchar), sessionissuer \
    row(type varchar, principalid varchar, arn varchar, accountid varchar, username varchar), \
    webidfederationdata row(federatedprovider varchar, attributes map(varchar, varchar)), \
    sourceidentity varchar, ec2roledelivery varchar, ec2issuedinvpc varchar), onbehalfof \
    row(userid varchar, identitystorearn varchar), inscopeof row(sourcearn varchar, \
    sourceaccount varchar, issuertype varchar, credentiaisissuedto varchar, credentialsissuedto \
    varchar), invokedby varchar, identityprovider varchar)";

/// Lake's columns in AWS's order, with their types.
const LAKE: &[(&str, &str)] = &[
    ("eventversion", TEXT),
    ("useridentity", USER_IDENTITY),
    ("eventtime", "timestamp(6) with time zone"),
    ("eventsource", TEXT),
    ("eventname", TEXT),
    ("awsregion", TEXT),
    ("sourceipaddress", TEXT),
    ("useragent", TEXT),
    ("errorcode", TEXT),
    ("errormessage", TEXT),
    ("requestparameters", MAP),
    ("responseelements", MAP),
    ("additionaleventdata", MAP),
    ("requestid", TEXT),
    ("eventid", TEXT),
    ("readonly", "boolean"),
    ("resources", "array(row(accountid varchar, type varchar, arn varchar, arnprefix varchar))"),
    ("eventtype", TEXT),
    ("apiversion", TEXT),
    ("managementevent", "boolean"),
    ("recipientaccountid", TEXT),
    ("sharedeventid", TEXT),
    ("annotation", TEXT),
    ("vpcendpointid", TEXT),
    ("vpcendpointaccountid", TEXT),
    ("serviceeventdetails", MAP),
    ("addendum", MAP),
    ("edgedevicedetails", MAP),
    ("insightdetails", MAP),
    ("eventcategory", TEXT),
    (
        "tlsdetails",
        "row(tlsversion varchar, ciphersuite varchar, clientprovidedhostheader varchar)",
    ),
    ("sessioncredentialfromconsole", TEXT),
    ("eventjson", TEXT),
    ("eventjsonchecksum", TEXT),
];

/// The columns, Lake's first; behind them what `cloudtrail_logs` has and Lake has not.
pub(super) fn columns() -> Vec<Column> {
    let of_logs = logs::columns();
    let comment = |name: &str| match name {
        "eventtime" => Cow::Borrowed("When the request completed: `event_ts`."),
        "eventjson" => Cow::Borrowed("The record itself, rebuilt from its row."),
        "eventjsonchecksum" => {
            Cow::Borrowed("Lake's own checksum, which trail files do not carry: NULL.")
        }
        _ => of_logs
            .iter()
            .find(|column| column.name == name)
            .map_or(Cow::Borrowed(""), |column| column.comment.clone()),
    };
    let lake = LAKE.iter().map(|(name, sql_type)| Column {
        name: (*name).to_owned(),
        sql_type: (*sql_type).to_owned(),
        group: "lake",
        comment: comment(name),
        hidden: false,
    });
    let hidden = of_logs.iter().filter(|column| column.hidden && !is_lake(&column.name)).cloned();
    lake.chain(hidden).collect()
}

fn is_lake(name: &str) -> bool {
    LAKE.iter().any(|(lake, _)| *lake == name)
}

/// Lake's columns and the hidden ones, over the events of `tables`.
pub(super) fn plan(tables: &SnapshotTables) -> Result<LogicalPlan> {
    let events = tables.table(Table::Events);
    let mut columns: Vec<Expr> =
        LAKE.iter().map(|(name, _)| lake_column(name).alias(*name)).collect();
    for column in logs::columns() {
        if column.hidden && !is_lake(&column.name) {
            columns.push(logs::event_column(&column.name, tables));
        }
    }
    LogicalPlanBuilder::scan(Table::Events.name(), provider_as_source(events), None)?
        .project(columns)?
        .build()
}

fn lake_column(name: &str) -> Expr {
    let stored = logs::stored_column(name);
    match name {
        "useridentity" => user_identity(),
        "eventtime" => logs::stored_column("event_ts"),
        "requestparameters"
        | "responseelements"
        | "additionaleventdata"
        | "serviceeventdetails"
        | "edgedevicedetails"
        | "insightdetails" => json_map(stored),
        "addendum" => map_of(
            &["reason", "updatedFields", "originalRequestID", "originalEventID"],
            ["reason", "updatedfields", "originalrequestid", "originaleventid"]
                .map(|member| get_field(stored.clone(), member))
                .to_vec(),
        ),
        "readonly" => try_cast(stored, DataType::Boolean),
        "resources" => resources(stored, logs::stored_column("resourcearnprefixes")),
        "eventjson" => event_json(
            schema::columns().iter().map(|column| logs::stored_column(column.name)).collect(),
        ),
        "eventjsonchecksum" => lit(ScalarValue::Utf8(None)),
        _ => stored,
    }
}

/// Lake's `useridentity`, which holds members that Athena's lacks.
fn user_identity() -> Expr {
    let identity = || logs::stored_column("useridentity");
    let member = |name: &'static str| (name, get_field(identity(), name));
    let session = || get_field(identity(), "sessioncontext");
    let of_session = |name: &'static str| (name, get_field(session(), name));
    let attribute = |name: &str| get_field(get_field(session(), "attributes"), name);
    let column = |name: &'static str| (name, logs::stored_column(name));
    let scope = |name: &str| get_field(logs::stored_column("inscopeof"), name);

    let attributes = row_of(vec![
        ("creationdate", instant(attribute("creationdate"))),
        ("mfaauthenticated", attribute("mfaauthenticated")),
    ]);
    let session_context = row_of(vec![
        ("attributes", attributes),
        of_session("sessionissuer"),
        of_session("webidfederationdata"),
        column("sourceidentity"),
        of_session("ec2roledelivery"),
        column("ec2issuedinvpc"),
    ]);
    let in_scope_of = row_of(vec![
        ("sourcearn", scope("sourcearn")),
        ("sourceaccount", scope("sourceaccount")),
        ("issuertype", scope("issuertype")),
        // AWS's page misspells it; queries written after either spelling work.
        ("credentiaisissuedto", scope("credentialsissuedto")),
        ("credentialsissuedto", scope("credentialsissuedto")),
    ]);
    row_of(vec![
        member("type"),
        member("principalid"),
        member("arn"),
        member("accountid"),
        member("accesskeyid"),
        member("username"),
        ("sessioncontext", session_context),
        member("onbehalfof"),
        ("inscopeof", in_scope_of),
        member("invokedby"),
        column("identityprovider"),
    ])
}
