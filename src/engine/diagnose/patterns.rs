//! Faults that DataFusion tells in a sentence only: the sentence is recognised, its parts are put
//! into ours, and the place is found among the statement's tokens.

use std::ops::Range;

use datafusion::sql::sqlparser::tokenizer::Token;

use super::{
    nearest::nearest,
    planning::{Context, Found},
    words::{tidy, translate},
};
use crate::engine::{functions, names::NameKind, tables::Relation};

/// One kind of sentence.
type Pattern = fn(&Context<'_>, &str) -> Option<Found>;

/// The kinds, the special ones first.
const PATTERNS: &[Pattern] = &[
    unknown_table,
    unknown_function,
    not_grouped,
    unknown_member,
    no_members,
    no_fields,
    no_star,
    arguments,
    arithmetic,
    comparison,
    same_names,
    outer_column,
    subquery_in_select,
    star_argument,
    cast,
    unsupported_type,
    unsupported_syntax,
    star_without_from,
    one_column,
    placeholder,
    not_boolean,
    substring,
    pattern,
    division,
    clause,
];

/// A fault from what DataFusion says about it.
pub(super) fn found(context: &Context<'_>, message: &str) -> Found {
    PATTERNS
        .iter()
        .find_map(|pattern| pattern(context, message))
        .unwrap_or_else(|| Found { message: tidy(message), ..Found::default() })
}

/// The place of the first token that `is` finds.
fn place(context: &Context<'_>, is: impl Fn(&Token) -> bool) -> Option<Range<usize>> {
    context.tokens.iter().find(|(token, _)| is(token)).map(|(_, place)| place.clone())
}

/// What stands in `text` between `before` and `after`.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}

/// `cloudtrail_logs.useridentity[arn]` as the user writes it: `useridentity.arn`.
fn short(name: &str) -> String {
    let name = match between(name, "get_field(", ")").or_else(|| name.strip_prefix("get_field(")) {
        // `get_field(t.useridentity, Utf8("arn"))`
        Some(path) => path.replace(", Utf8(\"", ".").replace("\")", "").replace('"', ""),
        None => name.trim_matches('"').replace('[', ".").replace(']', ""),
    };
    let mut parts: Vec<&str> = name.split('.').collect();
    let is_plain = name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '$'));
    if is_plain && parts.len() > 1 {
        parts.remove(0);
        return parts.join(".");
    }
    translate(&name)
}

fn unknown_table(context: &Context<'_>, message: &str) -> Option<Found> {
    let name = between(message, "table '", "' not found")?;
    let name = name.rsplit('.').next().unwrap_or(name).trim_matches('"');
    let tables = context.session.table_names();
    let help = match nearest(name, tables.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "SHOW TABLES lists the tables".to_owned(),
    };
    Some(Found {
        message: format!("table `{name}` does not exist"),
        span: context.place_of(name),
        label: Some("unknown table"),
        help: Some(help),
    })
}

fn unknown_function(context: &Context<'_>, message: &str) -> Option<Found> {
    let name = between(message, "Invalid function '", "'")
        .or_else(|| between(message, "table function '", "' not found"))?;
    let functions = context.session.function_names();
    let near = nearest(name, functions.iter().map(String::as_str));
    Some(Found {
        message: format!("function `{name}` does not exist"),
        span: context.place_of_call(name).or_else(|| context.place_of(name)),
        label: Some("unknown function"),
        help: Some(match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "SHOW FUNCTIONS lists the functions".to_owned(),
        }),
    })
}

fn not_grouped(context: &Context<'_>, message: &str) -> Option<Found> {
    let name = between(message, "While expanding wildcard, column \"", "\" must appear")
        .or_else(|| between(message, "HAVING clause references: ", " must appear"))?;
    let name = short(name);
    let last = name.rsplit('.').next().unwrap_or(&name).to_owned();
    let help = between(message, "currently only \"", "\" appears")
        .filter(|grouped| !grouped.contains('(') && !grouped.is_empty())
        .map(|grouped| {
            let grouped: Vec<String> = grouped.split(", ").map(short).collect();
            format!("the query groups by {}", grouped.join(", "))
        });
    Some(Found {
        message: format!("`{name}` must be in GROUP BY or inside an aggregate function"),
        span: context.place_of(&last),
        label: Some("neither grouped nor aggregated"),
        help,
    })
}

fn unknown_member(context: &Context<'_>, message: &str) -> Option<Found> {
    let name = between(message, "Field ", " not found in ")?.trim_matches('"');
    let names = context.session.names();
    let members: Vec<&str> = names
        .iter()
        .filter(|known| known.kind == NameKind::Field)
        .filter_map(|known| known.text.rsplit('.').next())
        .collect();
    Some(Found {
        message: format!("there is no field `{name}`"),
        span: context.place_of_member(name),
        label: Some("unknown field"),
        help: nearest(name, members).map(|near| format!("did you mean `{near}`?")),
    })
}

/// `eventname.x`: a column that is no struct.
fn no_members(context: &Context<'_>, message: &str) -> Option<Found> {
    let path = message.strip_prefix("could not parse compound identifier from [")?;
    let path: Vec<&str> =
        path.trim_end_matches(']').split(", ").map(|part| part.trim_matches('"')).collect();
    let (name, rest) = path.split_last()?;
    let of = rest.last()?;
    Some(Found {
        message: format!("`{of}` has no field `{name}`: it is no row"),
        span: context.place_of_member(name),
        label: Some("no such field"),
        help: None,
    })
}

/// `eventname.x`: a column of text that holds no JSON.
fn no_fields(context: &Context<'_>, message: &str) -> Option<Found> {
    if !message.to_lowercase().contains("cannot access field at argument") {
        return None;
    }
    let columns = Relation::Logs.columns();
    let triples = context.tokens.windows(3).find_map(|tokens| match tokens {
        [(Token::Word(of), _), (Token::Period, _), (Token::Word(_), place)] => {
            let name = of.value.to_lowercase();
            let column = columns.iter().find(|column| column.name == name)?;
            (column.sql_type == "varchar").then(|| (column, place.clone()))
        }
        _ => None,
    });
    let Some((column, span)) = triples else {
        return Some(Found { message: "there is no such field".to_owned(), ..Found::default() });
    };
    let of = &column.name;
    Some(Found {
        message: format!("`{of}` has no fields: it is a {}", column.sql_type),
        span: Some(span),
        label: Some("no such field"),
        help: None,
    })
}

fn no_star(context: &Context<'_>, message: &str) -> Option<Found> {
    let name = message.strip_prefix("Invalid qualifier ")?.trim();
    let name = name.rsplit('.').next().unwrap_or(name);
    Some(Found {
        message: format!("`{name}` is no table of the FROM clause"),
        span: context.place_of(name),
        label: Some("`.*` needs a table"),
        help: Some(format!("name the fields, as in `{name}.arn`"))
            .filter(|_| context.session.columns().iter().any(|column| column == name)),
    })
}

/// A call with arguments that the function does not take.
fn arguments(context: &Context<'_>, message: &str) -> Option<Found> {
    let quoted = between(message, "satisfy a call to '", "' function")
        .or_else(|| between(message, "Function '", "' "))
        .or_else(|| between(message, "The function '", "' "))
        .or_else(|| between(message, "given name and argument types '", "("))
        .or_else(|| between(message, "'", "' function"))?;
    let name = quoted.trim();
    let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if name.is_empty() || !is_name {
        return None;
    }
    let given = between(message, "coercion from ", " to the signature")
        .or_else(|| between(message, &format!("'{name}("), ")'"))
        .or_else(|| between(message, "but received ", " ("))
        .map(translate);
    let mut candidates: Vec<String> = message
        .split_once("Candidate functions:")
        .map(|(_, rest)| rest.lines().map(str::trim).filter(|l| !l.is_empty()))
        .into_iter()
        .flatten()
        .take(3)
        .map(|line| format!("`{}`", translate(line)))
        .collect();
    candidates.dedup();
    let wants = between(message, "requires ", ", but received").map(translate);
    // What our own functions say themselves says more than how they are called.
    let reason = between(message, "coercion failed with: Error during planning: ", " No function")
        .filter(|reason| !reason.starts_with("it does not take"))
        .map(translate);
    let ours = functions().into_iter().find(|function| function.name == name);
    let help = match (candidates.as_slice(), wants) {
        _ if reason.is_some() => reason,
        (some, _) if some.iter().any(|call| call.contains("UserDefined")) => {
            ours.map(|function| format!("it is called as {}", function.signature))
        }
        ([], Some(wants)) => Some(format!("it takes {wants}")),
        ([], None) => None,
        (some, _) => Some(format!("it takes {}", some.join(" or "))),
    };
    let message = match given {
        Some(given) if !given.is_empty() => format!("function `{name}` does not take ({given})"),
        _ => format!("function `{name}` does not take these arguments"),
    };
    let label = Some("wrong arguments");
    Some(Found { message, span: context.place_of_call(name), label, help })
}

fn arithmetic(_: &Context<'_>, message: &str) -> Option<Found> {
    let operation = between(message, "Cannot coerce arithmetic expression ", " to valid types")
        .or_else(|| between(message, "Cannot get result type for arithmetic operation ", ":"))?;
    Some(Found {
        message: format!("cannot compute {}", translate(operation)),
        label: Some("types do not fit"),
        help: Some("CAST(… AS …) turns one type into another".to_owned()),
        ..Found::default()
    })
}

fn comparison(_: &Context<'_>, message: &str) -> Option<Found> {
    let (_, operation) = message
        .split_once("Cannot infer common argument type for ")
        .or_else(|| message.split_once("Cannot infer common string type for "))?;
    let operation = operation.lines().next().unwrap_or_default();
    let (kind, types) = operation.split_once(" operation ")?;
    let verb = match kind {
        "comparison" => "compare",
        "regex" => "match",
        "string concat" => "join",
        _ => "combine",
    };
    Some(Found {
        message: format!("cannot {verb} {}", translate(types.trim_end_matches('.'))),
        label: Some("types do not fit"),
        help: Some("CAST(… AS …) turns one type into another".to_owned()),
        ..Found::default()
    })
}

fn same_names(context: &Context<'_>, message: &str) -> Option<Found> {
    if !message.contains("require unique expression names") {
        return None;
    }
    let name = short(between(message, "the expression \"", "\" at position")?);
    let last = name.rsplit('.').next().unwrap_or(&name).to_owned();
    let second = context.tokens.iter().filter_map(|(token, place)| match token {
        Token::Word(word) if word.value.eq_ignore_ascii_case(&last) => Some(place.clone()),
        _ => None,
    });
    Some(Found {
        message: format!("two columns of the answer are named `{name}`"),
        span: second.into_iter().nth(1),
        label: None,
        help: Some("name one of them with AS".to_owned()),
    })
}

fn outer_column(context: &Context<'_>, message: &str) -> Option<Found> {
    let rest = message.split_once("OuterReferenceColumn")?.1;
    let name = between(rest, "name: \"", "\"").or_else(|| {
        let name = rest.trim_start().lines().next()?;
        Some(name.rsplit('.').next().unwrap_or(name).trim_matches('"'))
    })?;
    Some(Found {
        message: format!("`{name}` of the query around cannot be used here"),
        span: context.place_of(name),
        label: None,
        help: Some(
            "a subquery can compare columns of the query around it; join to use them otherwise"
                .to_owned(),
        ),
    })
}

/// `SELECT x IN (SELECT …)`: what holds of a subquery's rows is known where rows are chosen.
fn subquery_in_select(context: &Context<'_>, message: &str) -> Option<Found> {
    let rest = message.split_once("plan does not support logical expression ")?.1;
    if rest.starts_with("ScalarSubquery") {
        return Some(Found {
            message: "this subquery compares more than columns with the query around it".to_owned(),
            span: None,
            label: None,
            help: Some("a join with GROUP BY computes the same for all rows at once".to_owned()),
        });
    }
    let kinds = [("Exists", "EXISTS"), ("InSubquery", "IN"), ("SetComparison", "ANY, ALL")];
    let (_, kind) = kinds.into_iter().find(|(kind, _)| rest.starts_with(kind))?;
    let is_kind =
        |token: &Token| matches!(token, Token::Word(word) if word.value.eq_ignore_ascii_case(kind));
    Some(Found {
        message: format!("{kind} with a subquery is supported in WHERE, HAVING and ON only"),
        span: place(context, is_kind),
        label: None,
        help: Some(
            "in the SELECT list, `(SELECT count(*) FROM … WHERE …) > 0` says the same".to_owned(),
        ),
    })
}

fn star_argument(context: &Context<'_>, message: &str) -> Option<Found> {
    message.contains("plan does not support logical expression Wildcard").then(|| Found {
        message: "`*` as an argument is for count alone".to_owned(),
        span: place(context, |token| *token == Token::Mul),
        label: None,
        help: None,
    })
}

/// Text that is no value of the type it is turned into.
fn cast(context: &Context<'_>, message: &str) -> Option<Found> {
    let (value, wanted) = if let Some(rest) = message.split_once("Cannot cast string '") {
        let (value, rest) = rest.1.rsplit_once("' to value of ")?;
        (value, rest.split(" type").next().unwrap_or(rest).to_owned())
    } else if let Some(value) = between(message, "Error parsing timestamp from '", "'") {
        (value, "timestamp".to_owned())
    } else if let Some(value) = between(message, "Cannot cast value '", "' to value of Boolean") {
        (value, "Boolean".to_owned())
    } else {
        return None;
    };
    let wanted = translate(&wanted);
    let place = context.place_of_text(value);
    let help = match place {
        Some(_) => None,
        // The value comes from the data.
        None => Some(format!("TRY_CAST(… AS {wanted}) gives NULL for what is no {wanted}")),
    };
    Some(Found {
        message: format!("`{value}` is no {wanted}"),
        span: place.or_else(|| only_cast(context)),
        label: None,
        help,
    })
}

/// The statement's CAST, where it has one only.
fn only_cast(context: &Context<'_>) -> Option<Range<usize>> {
    let first = context.place_of_call("cast")?;
    let casts = context.tokens.iter().filter(|(token, _)| {
        matches!(token, Token::Word(word)
            if word.value.eq_ignore_ascii_case("cast"))
    });
    (casts.count() == 1).then_some(first)
}

/// Syntax that the parser reads and nothing here plans; what it is of is shown as the planner's tree.
fn unsupported_syntax(context: &Context<'_>, message: &str) -> Option<Found> {
    let (_, node) = message.split_once("nsupported ast node ")?;
    let node = node.trim_start_matches("in sqltorel: ");
    let name: String = node.chars().take_while(char::is_ascii_alphanumeric).collect();
    if name == "Lambda" {
        return Some(Found {
            message: "a lambda is not supported here".to_owned(),
            span: place(context, |token| *token == Token::Arrow),
            ..Found::default()
        });
    }
    let words = name.chars().fold(String::new(), |mut words, letter| {
        if letter.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
        words
    });
    Some(Found { message: format!("{words} is not supported here"), ..Found::default() })
}

fn unsupported_type(context: &Context<'_>, message: &str) -> Option<Found> {
    let name = message.strip_prefix("Unsupported SQL type ")?.trim();
    let word: String = name.chars().take_while(char::is_ascii_alphanumeric).collect();
    Some(Found {
        message: format!("type `{}` is not supported", name.to_lowercase()),
        span: context.place_of(&word),
        label: None,
        help: None,
    })
}

fn star_without_from(context: &Context<'_>, message: &str) -> Option<Found> {
    message.contains("SELECT * with no tables specified").then(|| Found {
        message: "`*` needs a FROM clause".to_owned(),
        span: place(context, |token| *token == Token::Mul),
        ..Found::default()
    })
}

fn one_column(_: &Context<'_>, message: &str) -> Option<Found> {
    message.contains("should only return one column").then(|| Found {
        message: "the subquery must give one column".to_owned(),
        label: Some("more than one column"),
        ..Found::default()
    })
}

fn placeholder(context: &Context<'_>, message: &str) -> Option<Found> {
    let name = between(message, "Placeholder '", "' was not provided a value")
        .or_else(|| between(message, "No value found for placeholder with id ", ""))
        .or_else(|| between(message, "Placeholder type for '", "'"))?;
    let place = context.tokens.iter().find_map(|(token, place)| match token {
        Token::Placeholder(text) if text == name => Some(place.clone()),
        _ => None,
    });
    Some(Found {
        message: format!("parameter `{name}` has no value"),
        span: place,
        label: None,
        help: Some("PREPARE and EXECUTE give parameters values".to_owned()),
    })
}

fn not_boolean(_: &Context<'_>, message: &str) -> Option<Found> {
    let (_, given) =
        message.split_once("Unary operator 'NOT' requires a boolean expression, got ").or_else(
            || message.split_once("Unary operator 'NOT' only supports boolean expressions, got "),
        )?;
    Some(Found {
        message: format!("NOT takes a boolean, not a {}", translate(given.lines().next()?)),
        label: Some("not a boolean"),
        ..Found::default()
    })
}

fn substring(context: &Context<'_>, message: &str) -> Option<Found> {
    message.contains("ubstring without for/from is not valid").then(|| Found {
        message: "a substring needs a place to start".to_owned(),
        span: context.place_of_call("substr").or_else(|| context.place_of_call("substring")),
        label: None,
        help: Some("substr(text, 1, 10) gives the first ten characters".to_owned()),
    })
}

fn pattern(context: &Context<'_>, message: &str) -> Option<Found> {
    if let Some(text) = between(message, "the pattern '", "' is not understood: ") {
        let (_, why) = message.split_once("is not understood: ")?;
        let why = why.lines().next().unwrap_or_default().trim_end_matches([')', '"']);
        return Some(Found {
            message: format!("`{text}` is no regular expression: {why}"),
            span: context.place_of_text(text),
            label: None,
            help: None,
        });
    }
    let (_, fault) = message.split_once("regex parse error:")?;
    let mut lines = fault.lines().map(str::trim).filter(|line| !line.is_empty());
    let text = lines.next().unwrap_or_default();
    let why = fault.rsplit("error: ").next().unwrap_or_default().trim();
    Some(Found {
        message: format!("`{text}` is no regular expression: {}", why.trim_end_matches('.')),
        span: context.place_of_text(text),
        label: None,
        help: None,
    })
}

fn division(context: &Context<'_>, message: &str) -> Option<Found> {
    message.to_lowercase().contains("divide by zero").then(|| Found {
        message: "division by zero".to_owned(),
        span: place(context, |token| matches!(token, Token::Div | Token::Mod)),
        label: None,
        help: Some("NULLIF(divisor, 0) gives NULL instead".to_owned()),
    })
}

/// A clause that is not supported, named in capitals.
fn clause(context: &Context<'_>, message: &str) -> Option<Found> {
    if !message.contains("not supported") && !message.contains("not implemented") {
        return None;
    }
    let capitals = message.split(|c: char| !c.is_ascii_uppercase()).find(|word| word.len() > 2)?;
    let span = context.place_of(capitals)?;
    Some(Found { message: tidy(message), span: Some(span), label: None, help: None })
}
