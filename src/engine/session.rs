//! The session: statements in, answers out.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use datafusion::{
    common::{ParamValues, tree_node::TreeNodeRecursion},
    error::DataFusionError,
    execution::{SessionStateBuilder, runtime_env::RuntimeEnv, session_state::SessionState},
    logical_expr::{LogicalPlan, SQLOptionsExt as _},
    physical_plan::execute_stream,
    prelude::SessionConfig,
    sql::parser::Statement as Ast,
};
