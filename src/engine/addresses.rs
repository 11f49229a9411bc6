//! Casts from and to the type `ipaddress`, which `DataFusion` would do to the bytes.

use datafusion::{
    common::{
        DFSchema,
        config::ConfigOptions,
        tree_node::{Transformed, TreeNode},
    },
    error::Result,
    logical_expr::{
        Expr, ExprSchemable, LogicalPlan, expr::ScalarFunction, expr_rewriter::NamePreserver,
        utils::merge_schema,
    },
    optimizer::AnalyzerRule,
};
use std::sync::Arc;

use super::functions::ip::{FROM_TEXT, TO_TEXT, TRY_FROM_TEXT, is_address};

/// Has the casts of addresses become calls, before types are matched.
#[derive(Debug)]
pub(super) struct AddressCasts;

impl AnalyzerRule for AddressCasts {
    fn name(&self) -> &'static str {
        "address_casts"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        Ok(plan.transform_up_with_subqueries(rewrite)?.data)
    }
}

fn rewrite(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let mut schema = merge_schema(&plan.inputs());
    if let LogicalPlan::TableScan(scan) = &plan {
        let own =
            DFSchema::try_from_qualified_schema(scan.table_name.clone(), &scan.source.schema());
        schema.merge(&own?);
    }
    let names = NamePreserver::new(&plan);
    let rewritten = plan.map_expressions(|expr| {
        let name = names.save(&expr);
        let new = expr.transform_up(|expr| Ok(cast(expr, &schema)))?;
        // Only what changed needs its name back.
        Ok(if new.transformed { new.update_data(|expr| name.restore(expr)) } else { new })
    })?;
    if rewritten.transformed {
        return rewritten.map_data(LogicalPlan::recompute_schema);
    }
    Ok(rewritten)
}

/// The call that `expr` stands for, where it is a cast of an address.
fn cast(expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
    let (inner, to, lenient) = match &expr {
        Expr::Cast(cast) => (&cast.expr, cast.field.data_type(), false),
        Expr::TryCast(cast) => (&cast.expr, cast.field.data_type(), true),
        _ => return Transformed::no(expr),
    };
    let function = if is_address(to) {
        if lenient { TRY_FROM_TEXT.as_ref() } else { FROM_TEXT.as_ref() }
    } else if to.is_string() && inner.get_type(schema).is_ok_and(|from| is_address(&from)) {
        TO_TEXT.as_ref()
    } else {
        None
    };
    match function {
        Some(function) => {
            let call = ScalarFunction::new_udf(Arc::clone(function), vec![inner.as_ref().clone()]);
            Transformed::yes(Expr::ScalarFunction(call))
        }
        None => Transformed::no(expr),
    }
}
