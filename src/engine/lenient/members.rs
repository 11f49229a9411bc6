//! Members of JSON text by dots: `requestparameters.bucketname`, `responseelements.accesskey.status`.
//!
//! AWS's own playbooks have them, from tables that were declared with structs there. The value is what
//! such a struct's `string` member is given: a string's content, a number or boolean as it is written,
//! an object or array as its JSON text; NULL for `null`, and where there is no such member. SQL folds
//! names to lower case, so members are found whatever their case; one in lower case wins.
//!
//! `CloudTrail` Lake has maps of text in these columns, where the same spelling finds the key.

use std::sync::{Arc, LazyLock};

use arrow::{
    array::{Array, ArrayRef, AsArray, StringBuilder},
    datatypes::{DataType, Field},
};
use datafusion::{
    common::{Column, DFSchema, ExprSchema, ScalarValue, TableReference, exec_err},
    error::Result,
    logical_expr::{
        ColumnarValue, Expr, GetFieldAccess, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
        Signature, Volatility,
        expr::ScalarFunction,
        lit,
        planner::{ExprPlanner, PlannerResult, RawBinaryExpr, RawFieldAccessExpr},
    },
};

use crate::engine::{
    functions::json::{Finder, Text},
    tables::Relation,
};

/// The name of the function that reads members, which users do not call.
pub(in crate::engine) const MEMBER: &str = "json_member";

/// The columns that hold JSON text.
const JSON: &[&str] = &[
    "requestparameters",
    "responseelements",
    "additionaleventdata",
    "serviceeventdetails",
    "edgedevicedetails",
    "insightdetails",
    "eventcontext",
    "eventjson",
    "envelope",
    "wrapper",
    "extra",
];

/// The columns of our tables, of which the others hold no JSON.
static COLUMNS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let columns = Relation::ALL.into_iter().flat_map(Relation::columns);
    columns.map(|column| column.name).collect()
});

static FUNCTION: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    let signature = Signature::variadic_any(Volatility::Immutable);
    Arc::new(ScalarUDF::new_from_impl(Member { signature }))
});

/// Whether `field` may hold JSON. What a query itself names may; a column that is known not to, such
/// as `eventname`, has no members.
fn holds_json(field: &Field) -> bool {
    match field.data_type() {
        DataType::LargeUtf8 => true,
        DataType::Utf8 | DataType::Utf8View => {
            let name = field.name();
            JSON.contains(&name.as_str()) || !COLUMNS.contains(name)
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(pair) => pair.iter().all(|of| of.data_type().is_string()),
            _ => false,
        },
        _ => false,
    }
}

/// Plans names with more parts than the column they begin with.
#[derive(Debug)]
pub(in crate::engine) struct Planner;

impl ExprPlanner for Planner {
    fn plan_compound_identifier(
        &self,
        field: &Field,
        qualifier: Option<&TableReference>,
        nested_names: &[String],
    ) -> Result<PlannerResult<Vec<Expr>>> {
        if !holds_json(field) {
            return Ok(PlannerResult::Original(Vec::new()));
        }
        let column = Expr::Column(Column::new(qualifier.cloned(), field.name()));
        let names = nested_names.iter().map(|name| lit(name.clone()));
        Ok(PlannerResult::Planned(member_of(std::iter::once(column).chain(names).collect())))
    }

    /// `readonly = false` over text.
    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        Ok(super::times::plan_comparison(expr, schema))
    }

    /// `requestparameters['bucketName']`, which is Lake's spelling, over text.
    fn plan_field_access(
        &self,
        access: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawFieldAccessExpr>> {
        let GetFieldAccess::NamedStructField { name } = &access.field_access else {
            return Ok(PlannerResult::Original(access));
        };
        let name = Expr::Literal(name.clone(), None);
        Ok(match access.expr {
            Expr::ScalarFunction(call) if call.func.name() == MEMBER => {
                let names = call.args.into_iter().chain([name]);
                PlannerResult::Planned(member_of(names.collect()))
            }
            Expr::OuterReferenceColumn(ref field, _) if holds_json(field) && !is_map(field) => {
                PlannerResult::Planned(member_of(vec![access.expr, name]))
            }
            Expr::Column(ref column) => {
                let field = schema.field_from_column(column);
                if field.is_ok_and(|field| holds_json(field) && !is_map(field)) {
                    PlannerResult::Planned(member_of(vec![access.expr, name]))
                } else {
                    PlannerResult::Original(access)
                }
            }
            _ => PlannerResult::Original(access),
        })
    }
}

fn member_of(args: Vec<Expr>) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(&FUNCTION), args))
}

fn is_map(field: &Field) -> bool {
    matches!(field.data_type(), DataType::Map(..))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Member {
    signature: Signature,
}

impl ScalarUDFImpl for Member {
    fn name(&self) -> &'static str {
        MEMBER
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    // As that of a struct's member.
    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        let Some((column, names)) = args.split_first() else { return Ok(MEMBER.to_owned()) };
        let mut name = column.schema_name().to_string();
        for member in names {
            let member = member.as_literal().and_then(|name| name.try_as_str().flatten());
            name.push('[');
            name.push_str(member.unwrap_or_default());
            name.push(']');
        }
        Ok(name)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some((document, names)) = args.args.split_first() else {
            return exec_err!("a member needs its text");
        };
        let names: Option<Vec<&str>> = names
            .iter()
            .map(|name| match name {
                ColumnarValue::Scalar(name) => name.try_as_str().flatten(),
                ColumnarValue::Array(_) => None,
            })
            .collect();
        let Some(names) = names else { return exec_err!("a member's name must be a literal") };
        match document {
            ColumnarValue::Array(array) => Ok(ColumnarValue::Array(read(array, &names)?)),
            ColumnarValue::Scalar(scalar) => {
                let read = read(&scalar.to_array()?, &names)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&read, 0)?))
            }
        }
    }
}

fn read(documents: &ArrayRef, names: &[&str]) -> Result<ArrayRef> {
    match documents.data_type() {
        DataType::Map(..) => of_maps(documents, names),
        _ => of_texts(documents, names),
    }
}

fn of_texts(documents: &ArrayRef, names: &[&str]) -> Result<ArrayRef> {
    let texts = Text::of(documents)?;
    let (mut finder, mut found) = (Finder::new(), StringBuilder::new());
    for row in 0..documents.len() {
        found.append_option(texts.get(row).and_then(|text| finder.folded(text, names)));
    }
    Ok(Arc::new(found.finish()))
}

fn of_maps(maps: &ArrayRef, names: &[&str]) -> Result<ArrayRef> {
    let (Some(maps), Some((first, rest))) = (maps.as_map_opt(), names.split_first()) else {
        return exec_err!("a map and a key were expected");
    };
    let (keys, values) = (Text::of(maps.keys())?, Text::of(maps.values())?);
    let (mut finder, mut found) = (Finder::new(), StringBuilder::new());
    let offset = |row: usize| maps.value_offsets().get(row).copied().unwrap_or_default();
    for row in 0..maps.len() {
        if maps.is_null(row) {
            found.append_null();
            continue;
        }
        let (mut at, mut alike) = (None, None);
        for entry in offset(row)..offset(row + 1) {
            let entry = usize::try_from(entry).unwrap_or_default();
            let Some(key) = keys.get(entry) else { continue };
            if key == *first {
                at = Some(entry);
                break;
            }
            if alike.is_none() && key.eq_ignore_ascii_case(first) {
                alike = Some(entry);
            }
        }
        let value = at.or(alike).and_then(|entry| values.get(entry));
        if rest.is_empty() {
            found.append_option(value);
        } else {
            found.append_option(value.and_then(|value| finder.folded(value, rest)));
        }
    }
    Ok(Arc::new(found.finish()))
}
