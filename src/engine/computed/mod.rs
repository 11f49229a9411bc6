//! The engine's own scalar functions, which stand behind columns; users do not call them.

mod day;
mod digests;
mod json;
mod lake;
mod members;
mod rows;

use std::sync::Arc;

use datafusion::logical_expr::{Expr, ScalarUDF, ScalarUDFImpl, expr::ScalarFunction};

pub(super) use self::{
    day::{DayFormat, day_text, delivery_range},
    digests::{DigestStatus, Statuses, digest_status},
    lake::{event_json, instant, json_map, lossy_text, map_of, resources},
    members::{
        Conflicts, IsMember, Kind as MemberKind, Members, Versions, id_conflict, superseded,
    },
    rows::{OpenRows, row_of},
};

/// A call of `function`.
fn call(function: impl ScalarUDFImpl + 'static, args: Vec<Expr>) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(
        Arc::new(ScalarUDF::new_from_impl(function)),
        args,
    ))
}
