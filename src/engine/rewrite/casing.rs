//! Lower case for every name: in Athena quotes do not make a name case-sensitive.

use datafusion::sql::sqlparser::ast::{
    ExcludeSelectItem, Expr, Ident, JoinConstraint, JoinOperator, ObjectName, ObjectNamePart,
    Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, Statement as Sql,
    TableAlias, TableFactor, WildcardAdditionalOptions, WindowType,
};

use super::{
    super::walk::{self, Flow, ON, Walker},
    Spelling,
};

/// Lowers every name in `statement`; gives the spelling of the aliases that had capitals and
/// quotes, those of the outermost query first.
pub(super) fn lower(statement: &mut Sql) -> Spelling {
    let mut casing = Casing { spelling: Spelling::new(), depth: 0 };
    if let Sql::CreateView(view) = statement {
        object_name(&mut view.name);
        view.columns.iter_mut().for_each(|column| ident(&mut column.name));
    }
    if let Sql::Drop { names, .. } = statement {
        names.iter_mut().for_each(object_name);
    }
    walk::walk(statement, &mut casing);
    casing.spelling
}

struct Casing {
    spelling: Spelling,
    depth: usize,
}

fn ident(name: &mut Ident) {
    if name.quote_style.is_some() {
        name.value.make_ascii_lowercase();
    }
}

fn object_name(name: &mut ObjectName) {
    for part in &mut name.0 {
        if let ObjectNamePart::Identifier(name) = part {
            ident(name);
        }
    }
}

fn join_constraint(operator: &mut JoinOperator) -> Option<&mut JoinConstraint> {
    match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint)
        | JoinOperator::CrossJoin(constraint)
        | JoinOperator::Semi(constraint)
        | JoinOperator::LeftSemi(constraint)
        | JoinOperator::RightSemi(constraint)
        | JoinOperator::Anti(constraint)
        | JoinOperator::LeftAnti(constraint)
        | JoinOperator::RightAnti(constraint)
        | JoinOperator::StraightJoin(constraint) => Some(constraint),
        _ => None,
    }
}

impl Casing {
    /// Remembers how an alias is spelled, then lowers it.
    fn alias(&mut self, name: &mut Ident) {
        if name.quote_style.is_some() {
            let lowered = name.value.to_ascii_lowercase();
            if lowered != name.value {
                self.spelling.entry(lowered).or_insert_with(|| name.value.clone());
            }
        }
        ident(name);
    }

    fn table_alias(&mut self, alias: &mut TableAlias) {
        ident(&mut alias.name);
        for column in &mut alias.columns {
            self.alias(&mut column.name);
        }
    }

    fn projection(&mut self, items: &mut [SelectItem]) {
        for item in items {
            match item {
                SelectItem::ExprWithAlias { alias, .. } => self.alias(alias),
                SelectItem::ExprWithAliases { aliases, .. } => {
                    for alias in aliases {
                        self.alias(alias);
                    }
                }
                SelectItem::Wildcard(options) => wildcard(options),
                SelectItem::QualifiedWildcard(kind, options) => {
                    if let SelectItemQualifiedWildcardKind::ObjectName(name) = kind {
                        object_name(name);
                    }
                    wildcard(options);
                }
                SelectItem::UnnamedExpr(_) => {}
            }
        }
    }
}

fn wildcard(options: &mut WildcardAdditionalOptions) {
    match &mut options.opt_exclude {
        Some(ExcludeSelectItem::Single(name)) => object_name(name),
        Some(ExcludeSelectItem::Multiple(names)) => names.iter_mut().for_each(object_name),
        None => {}
    }
    if let Some(except) = &mut options.opt_except {
        ident(&mut except.first_element);
        except.additional_elements.iter_mut().for_each(ident);
    }
    if let Some(replace) = &mut options.opt_replace {
        replace.items.iter_mut().for_each(|item| ident(&mut item.column_name));
    }
}

impl Walker for Casing {
    fn query(&mut self, query: &mut Query) -> Flow {
        self.depth += 1;
        if let (1, SetExpr::Select(select)) = (self.depth, query.body.as_mut()) {
            // Before the CTEs are walked: the outermost spelling wins.
            self.projection(&mut select.projection);
        }
        for cte in query.with.iter_mut().flat_map(|with| &mut with.cte_tables) {
            self.table_alias(&mut cte.alias);
        }
        ON
    }

    fn after_query(&mut self, _: &mut Query) -> Flow {
        self.depth = self.depth.saturating_sub(1);
        ON
    }

    fn select(&mut self, select: &mut Select) -> Flow {
        self.projection(&mut select.projection);
        for join in select.from.iter_mut().flat_map(|from| &mut from.joins) {
            if let Some(JoinConstraint::Using(names)) = join_constraint(&mut join.join_operator) {
                names.iter_mut().for_each(object_name);
            }
        }
        for window in &mut select.named_window {
            ident(&mut window.0);
        }
        ON
    }

    fn relation(&mut self, name: &mut ObjectName) -> Flow {
        object_name(name);
        ON
    }

    fn table_factor(&mut self, factor: &mut TableFactor) -> Flow {
        match factor {
            TableFactor::Table { alias, .. }
            | TableFactor::Derived { alias, .. }
            | TableFactor::TableFunction { alias, .. }
            | TableFactor::Function { alias, .. }
            | TableFactor::UNNEST { alias, .. }
            | TableFactor::NestedJoin { alias, .. } => {
                if let Some(alias) = alias {
                    self.table_alias(alias);
                }
            }
            _ => {}
        }
        ON
    }

    fn expr(&mut self, expr: &mut Expr) -> Flow {
        match expr {
            Expr::Identifier(name) => ident(name),
            Expr::CompoundIdentifier(names) => names.iter_mut().for_each(ident),
            Expr::Function(function) => {
                object_name(&mut function.name);
                if let Some(WindowType::NamedWindow(name)) = &mut function.over {
                    ident(name);
                }
            }
            _ => {}
        }
        ON
    }
}
