//! The one walk over syntax trees.
//!
//! The parser's visitors are generic: every kind of visitor makes the compiler write the walk over
//! some 300 kinds of nodes once more, which came to a third of this crate's code. So there is one
//! visitor, and what differs is behind a trait object.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, ObjectName, Query, Select, Statement as Sql, TableFactor, VisitMut, VisitorMut,
};

/// Whether the walk goes on. What ended it, the walker keeps.
pub(super) type Flow = ControlFlow<()>;

/// Go on.
pub(super) const ON: Flow = ControlFlow::Continue(());

/// Go no further.
pub(super) const STOP: Flow = ControlFlow::Break(());

/// What is done at the nodes: before their children, and after.
pub(super) trait Walker {
    fn statement(&mut self, _: &mut Sql) -> Flow {
        ON
    }

    fn after_statement(&mut self, _: &mut Sql) -> Flow {
        ON
    }

    fn query(&mut self, _: &mut Query) -> Flow {
        ON
    }

    fn after_query(&mut self, _: &mut Query) -> Flow {
        ON
    }

    fn select(&mut self, _: &mut Select) -> Flow {
        ON
    }

    fn relation(&mut self, _: &mut ObjectName) -> Flow {
        ON
    }

    fn table_factor(&mut self, _: &mut TableFactor) -> Flow {
        ON
    }

    fn expr(&mut self, _: &mut Expr) -> Flow {
        ON
    }

    fn after_expr(&mut self, _: &mut Expr) -> Flow {
        ON
    }
}

/// Walks `node` and all below it.
pub(super) fn walk<N: VisitMut>(node: &mut N, walker: &mut dyn Walker) {
    let _: Flow = node.visit(&mut Each(walker));
}

struct Each<'a>(&'a mut dyn Walker);

impl VisitorMut for Each<'_> {
    type Break = ();

    fn pre_visit_statement(&mut self, statement: &mut Sql) -> Flow {
        self.0.statement(statement)
    }

    fn post_visit_statement(&mut self, statement: &mut Sql) -> Flow {
        self.0.after_statement(statement)
    }

    fn pre_visit_query(&mut self, query: &mut Query) -> Flow {
        self.0.query(query)
    }

    fn post_visit_query(&mut self, query: &mut Query) -> Flow {
        self.0.after_query(query)
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> Flow {
        self.0.select(select)
    }

    fn pre_visit_relation(&mut self, name: &mut ObjectName) -> Flow {
        self.0.relation(name)
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> Flow {
        self.0.table_factor(factor)
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> Flow {
        self.0.expr(expr)
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> Flow {
        self.0.after_expr(expr)
    }
}
