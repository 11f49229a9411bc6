//! Structs built from parts, and the rule that takes them apart again.
//!
//! `cloudtrail_lake` rearranges structs: `useridentity` has members there that are columns of
//! their own here. Where a statement asks for one member, only that member's column is read.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, StructArray},
    buffer::{BooleanBuffer, NullBuffer},
    datatypes::{DataType, Field, FieldRef, Fields},
};
use datafusion::{
    common::tree_node::Transformed,
    error::Result,
    functions::core::{get_field, getfield::GetFieldFunc},
    logical_expr::{
        ColumnarValue, Expr, LogicalPlan, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl,
        Signature, Volatility,
    },
    optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule},
};

use super::{super::analyze::replace_parts, call};

/// A struct of `members`; NULL where all of them are.
pub(in crate::engine) fn row_of(members: Vec<(&str, Expr)>) -> Expr {
    let names = members.iter().map(|(name, _)| (*name).to_owned()).collect();
    let args = members.into_iter().map(|(_, expr)| expr).collect();
    call(RowOf { names, signature: Signature::variadic_any(Volatility::Immutable) }, args)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct RowOf {
    names: Vec<String>,
    signature: Signature,
}

impl RowOf {
    fn fields<'a>(&self, types: impl Iterator<Item = &'a DataType>) -> Fields {
        let fields = self.names.iter().zip(types);
        fields.map(|(name, ty)| Field::new(name, ty.clone(), true)).collect()
    }
}

impl ScalarUDFImpl for RowOf {
    fn name(&self) -> &'static str {
        "row_of"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(self.fields(types.iter())))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let fields = self.fields(args.arg_fields.iter().map(|field| field.data_type()));
        Ok(Arc::new(Field::new(self.name(), DataType::Struct(fields), true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let members: Vec<ArrayRef> =
            args.args.into_iter().map(|arg| arg.into_array(rows)).collect::<Result<_>>()?;
        let mut present = BooleanBuffer::new_unset(rows);
        for member in &members {
            match member.logical_nulls() {
                Some(nulls) => present = &present | nulls.inner(),
                None => present = BooleanBuffer::new_set(rows),
            }
        }
        let fields = self.fields(members.iter().map(Array::data_type));
        let row = StructArray::try_new_with_length(
            fields,
            members,
            Some(NullBuffer::new(present)),
            rows,
        )?;
        Ok(ColumnarValue::Array(Arc::new(row)))
    }
}

/// Replaces a member of a row just built by the expression it was built from.
#[derive(Debug, Default)]
pub(in crate::engine) struct OpenRows;

impl OptimizerRule for OpenRows {
    fn name(&self) -> &'static str {
        "open_rows"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        replace_parts(plan, member)
    }
}

/// Of `get_field(row_of(…), 'name', …)` the member `name`, with what is asked of it.
fn member(expr: &Expr) -> Option<Expr> {
    let Expr::ScalarFunction(outer) = expr else { return None };
    if !outer.func.inner().is::<GetFieldFunc>() {
        return None;
    }
    let [Expr::ScalarFunction(row), key, rest @ ..] = outer.args.as_slice() else { return None };
    let names = &row.func.inner().downcast_ref::<RowOf>()?.names;
    let key = key.as_literal()?.try_as_str().flatten()?;
    let at = names.iter().position(|name| name == key)?;
    let found = row.args.get(at)?.clone();
    if rest.is_empty() {
        return Some(found);
    }
    let deeper = get_field().call([&[found], rest].concat());
    Some(member(&deeper).unwrap_or(deeper))
}
