//! `TRY(e)`: NULL for the rows on which `e` fails, and for no others.
//!
//! The syntax tree has a call of `$try`. Once types are settled, [`Seal`] hides what it encloses in a
//! function of its own, whose arguments are the columns that `e` reads: the optimizer can neither
//! fold a constant in it, which would fail the statement, nor take parts of it out. The function
//! evaluates `e` over a batch, and where that fails, over its halves, down to the rows that fail.
//!
//! <https://trino.io/docs/current/functions/conditional.html#try>

use std::{
    hash::{Hash, Hasher},
    sync::{Arc, OnceLock},
};

use arrow::{
    array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_null_array},
    compute::concat,
    datatypes::{DataType, Field, FieldRef, Schema},
};
use datafusion::{
    common::{
        Column, DFSchema, DFSchemaRef, config::ConfigOptions, plan_err, tree_node::Transformed,
        tree_node::TreeNode, tree_node::TreeNodeRecursion,
    },
    error::{DataFusionError, Result},
    execution::context::ExecutionProps,
    logical_expr::{
        ColumnarValue, Expr, ExprSchemable, LogicalPlan, ReturnFieldArgs, ScalarFunctionArgs,
        ScalarUDF, ScalarUDFImpl, Signature, Volatility, expr::ScalarFunction,
        physical_planning_context::PhysicalPlanningContext,
    },
    optimizer::AnalyzerRule,
    physical_expr::{PhysicalExpr, create_physical_expr},
};

use super::analyze::map_expressions;

/// The name of the call in the syntax tree.
const NAME: &str = "$try";

/// What `$try` is until it is sealed.
pub(super) fn function() -> ScalarUDF {
    ScalarUDF::new_from_impl(Open { signature: Signature::any(1, Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Open {
    signature: Signature,
}

impl ScalarUDFImpl for Open {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        if let [of] = types { Ok(of.clone()) } else { plan_err!("TRY takes one argument") }
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Err(DataFusionError::Internal("TRY was not sealed".to_owned()))
    }
}

/// Seals every `$try`, innermost first.
#[derive(Debug)]
pub(super) struct Seal;

impl AnalyzerRule for Seal {
    fn name(&self) -> &'static str {
        "seal_try"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        map_expressions(plan, |expr, schema| match expr {
            Expr::ScalarFunction(mut call) if call.func.name() == NAME => {
                let Some(body) = call.args.pop() else {
                    return plan_err!("TRY takes one argument");
                };
                Ok(Transformed::yes(seal(body, schema)?))
            }
            other => Ok(Transformed::no(other)),
        })
    }
}

/// What `body` reads from outside: columns, and what is one value for the whole statement.
fn is_input(expr: &Expr) -> bool {
    match expr {
        Expr::Column(_) | Expr::OuterReferenceColumn(..) | Expr::Placeholder(_) => true,
        Expr::ScalarFunction(call) => {
            call.func.signature().volatility != Volatility::Immutable && call.args.is_empty()
        }
        _ => false,
    }
}

fn seal(body: Expr, schema: &DFSchema) -> Result<Expr> {
    let name = format!("{NAME}({})", body.schema_name());
    let mut inputs: Vec<Expr> = Vec::new();
    let mut fields: Vec<FieldRef> = Vec::new();
    let body = body.transform_down(|expr| {
        if matches!(expr, Expr::ScalarSubquery(_) | Expr::Exists(_) | Expr::InSubquery(_)) {
            return plan_err!("TRY cannot hold a subquery: put TRY into the subquery");
        }
        if !is_input(&expr) {
            return Ok(Transformed::no(expr));
        }
        let at = if let Some(at) = inputs.iter().position(|known| *known == expr) {
            at
        } else {
            let field = expr.to_field(schema)?.1;
            fields.push(Arc::new(field.as_ref().clone().with_name(format!("c{}", inputs.len()))));
            inputs.push(expr);
            inputs.len() - 1
        };
        let column = Expr::Column(Column::new_unqualified(format!("c{at}")));
        Ok(Transformed::new(column, true, TreeNodeRecursion::Jump))
    })?;
    let schema = Arc::new(DFSchema::from_unqualified_fields(
        fields.into_iter().collect(),
        std::collections::HashMap::new(),
    )?);
    let field = body.data.to_field(&schema)?.1;
    let attempt = Attempt {
        name,
        body: body.data,
        schema,
        field,
        signature: Signature::user_defined(Volatility::Immutable),
        compiled: OnceLock::new(),
    };
    let func = Arc::new(ScalarUDF::new_from_impl(attempt));
    Ok(Expr::ScalarFunction(ScalarFunction::new_udf(func, inputs)))
}

/// The sealed function.
#[derive(Debug)]
struct Attempt {
    /// What the call was called before it was sealed: other nodes may name it so.
    name: String,
    body: Expr,
    schema: DFSchemaRef,
    field: FieldRef,
    signature: Signature,
    compiled: OnceLock<Arc<dyn PhysicalExpr>>,
}

impl PartialEq for Attempt {
    fn eq(&self, other: &Self) -> bool {
        self.body == other.body && self.schema == other.schema
    }
}

impl Eq for Attempt {}

impl Hash for Attempt {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.body.hash(state);
    }
}

impl ScalarUDFImpl for Attempt {
    fn name(&self) -> &'static str {
        "try"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn schema_name(&self, _: &[Expr]) -> Result<String> {
        Ok(self.name.clone())
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.to_vec())
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.field.data_type().clone())
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(self.field.as_ref().clone().with_nullable(true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let expr = if let Some(expr) = self.compiled.get() {
            expr
        } else {
            let properties = ExecutionProps::new();
            let context = PhysicalPlanningContext::default();
            let expr = create_physical_expr(&self.body, &self.schema, &properties, &context)?;
            self.compiled.get_or_init(|| expr)
        };
        let arrays = args
            .args
            .iter()
            .map(|value| value.to_array(args.number_rows))
            .collect::<Result<Vec<_>>>()?;
        let fields: Vec<Field> = self
            .schema
            .fields()
            .iter()
            .zip(&arrays)
            .map(|(field, array)| Field::new(field.name(), array.data_type().clone(), true))
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(args.number_rows));
        let schema = Arc::new(Schema::new(fields));
        let batch = RecordBatch::try_new_with_options(schema, arrays, &options)?;
        let out = attempt(expr.as_ref(), &batch, self.field.data_type())?;
        Ok(ColumnarValue::Array(out))
    }
}

/// `expr` over `batch`, NULL where it fails.
fn attempt(expr: &dyn PhysicalExpr, batch: &RecordBatch, to: &DataType) -> Result<ArrayRef> {
    let rows = batch.num_rows();
    match expr.evaluate(batch).and_then(|value| value.into_array(rows)) {
        Ok(array) => Ok(array),
        // What is no fault of the row.
        Err(error) if matches!(error.find_root(), DataFusionError::ResourcesExhausted(_)) => {
            Err(error)
        }
        Err(_) if rows <= 1 => Ok(new_null_array(to, rows)),
        Err(_) => {
            let half = rows / 2;
            let first = attempt(expr, &batch.slice(0, half), to)?;
            let second = attempt(expr, &batch.slice(half, rows - half), to)?;
            Ok(concat(&[&first as &dyn Array, &second as &dyn Array])?)
        }
    }
}
