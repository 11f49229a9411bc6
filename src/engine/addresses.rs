//! Casts from and to the type `ipaddress`, which `DataFusion` would do to the bytes.

use std::sync::Arc;

use datafusion::{
    common::{DFSchema, config::ConfigOptions, tree_node::Transformed},
    error::Result,
    logical_expr::{Expr, ExprSchemable, LogicalPlan, expr::ScalarFunction},
    optimizer::AnalyzerRule,
};

use super::{
    analyze::map_expressions,
    functions::ip::{FROM_TEXT, TO_TEXT, TRY_FROM_TEXT, is_address},
};

/// Has the casts of addresses become calls, before types are matched.
#[derive(Debug)]
pub(super) struct AddressCasts;

impl AnalyzerRule for AddressCasts {
    fn name(&self) -> &'static str {
        "address_casts"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        map_expressions(plan, |expr, schema| Ok(cast(expr, schema)))
    }
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
