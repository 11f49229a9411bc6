//! Values for the `:name` parameters of saved queries, put in their places on the syntax tree.

use datafusion::sql::{
    parser::Statement as Ast,
    sqlparser::{
        ast::{Expr, Value},
        parser::{Parser, ParserError},
        tokenizer::Tokenizer,
    },
};

use super::{
    Statement, diagnose, parse, tokens,
    walk::{self, Flow, ON, STOP, Walker},
};
use crate::{Error, Result};

/// Puts the values of the statement's parameters in their places in `tree`. Without values,
/// parameters stay: PREPARE has them too.
///
/// # Errors
/// There are values, but none for one of the parameters.
pub(super) fn bind(statement: &Statement, tree: &mut Ast) -> Result<()> {
    let Ast::Statement(sql) = tree else { return Ok(()) };
    if statement.parameters.is_empty() {
        return Ok(());
    }
    let mut values = Values { statement, fault: None };
    walk::walk(sql.as_mut(), &mut values);
    values.fault.map_or(Ok(()), Err)
}

struct Values<'a> {
    statement: &'a Statement,
    fault: Option<Error>,
}

impl Walker for Values<'_> {
    fn expr(&mut self, expr: &mut Expr) -> Flow {
        let Expr::Value(value) = &*expr else { return ON };
        let Value::Placeholder(name) = &value.value else { return ON };
        match literal(self.statement, name) {
            Ok(literal) => {
                *expr = literal;
                ON
            }
            Err(message) => {
                let at = diagnose::place(self.statement, value);
                self.fault = Some(diagnose::at(self.statement, at, message));
                STOP
            }
        }
    }
}

/// The value of the placeholder `name`, which begins with a colon.
fn literal(statement: &Statement, name: &str) -> Result<Expr, String> {
    let bare = name.trim_start_matches(':');
    let value = statement.parameters.iter().find(|(known, _)| known == bare);
    let (_, sql) = value.ok_or_else(|| format!("parameter `{name}` has no value"))?;
    Tokenizer::new(parse::dialect(), sql)
        .tokenize_with_location()
        .map_err(ParserError::from)
        .and_then(|tokens| {
            Parser::new(parse::dialect())
                .with_tokens_with_locations(tokens::adapt(sql, tokens))
                .parse_expr()
        })
        .map_err(|error| format!("the value of `{name}` is no literal: {error}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn bound(text: &str, parameters: &[(&str, &str)]) -> Result<String> {
        let parameters: Vec<_> =
            parameters.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let mut statement = parse::split(text, None)?.remove(0);
        statement.parameters = Arc::from(parameters);
        parse::tree(&statement).map(|tree| tree.to_string())
    }

    #[test]
    fn values_stand_where_the_parameters_stood() {
        let sql = bound(
            "SELECT ':since', a FROM t WHERE b >= :since AND c LIKE :who LIMIT :top",
            &[("since", "'it''s'"), ("who", "'%'"), ("top", "5")],
        );
        assert_eq!(
            sql.unwrap(),
            "SELECT ':since', a FROM t WHERE b >= 'it''s' AND c LIKE '%' LIMIT 5"
        );
    }

    #[test]
    fn a_parameter_without_a_value_is_a_fault_at_its_place() {
        let error = bound("SELECT :a, :b", &[("a", "1")]).unwrap_err();
        assert_eq!(error.to_string(), "parameter `:b` has no value");
    }

    #[test]
    fn without_values_parameters_stay() {
        assert_eq!(bound("SELECT :a", &[]).unwrap(), "SELECT :a");
    }
}
