//! What of this a plan has in it, before it is analysed.

use datafusion::{
    common::{
        DFSchema, ExprSchema,
        tree_node::{TreeNode, TreeNodeRecursion},
    },
    datasource::{ViewTable, source_as_provider},
    error::Result,
    logical_expr::{Expr, LogicalPlan, expr::ScalarFunction},
    scalar::ScalarValue,
};

use super::{super::analyze, MEMBER, Taken, known, times};
use arrow::datatypes::DataType;

/// The members and the text beside times in `plan`, and in the views that it names.
pub(in crate::engine) fn of_plan(plan: &LogicalPlan) -> Result<Vec<Taken>> {
    let mut taken = Vec::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && let Ok(provider) = source_as_provider(&scan.source)
            && let Some(view) = provider.downcast_ref::<ViewTable>()
        {
            taken.extend(of_plan(view.logical_plan())?);
        }
        let schema = analyze::readable(node)?;
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                times::of_expr(expr, &schema, &mut taken);
                if let Expr::ScalarFunction(call) = expr
                    && call.func.name() == MEMBER
                {
                    taken.extend(member(call, &schema));
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(taken)
}

fn member(call: &ScalarFunction, schema: &DFSchema) -> Option<Taken> {
    let (column, members) = call.args.split_first()?;
    let (column, of_map) = match column {
        Expr::Column(column) => {
            let field = schema.field_from_column(column);
            (column, field.is_ok_and(|field| matches!(field.data_type(), DataType::Map(..))))
        }
        Expr::OuterReferenceColumn(field, column) => {
            (column, matches!(field.data_type(), DataType::Map(..)))
        }
        _ => return None,
    };
    let members =
        members.iter().filter_map(|name| name.as_literal()).filter_map(ScalarValue::try_as_str);
    let names = std::iter::once(column.name.clone())
        .chain(members.flatten().map(str::to_owned))
        .collect::<Vec<_>>();
    Some(known::member(&names, of_map))
}
