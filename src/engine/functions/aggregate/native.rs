//! Functions over groups and windows that are DataFusion's, some by another name.

use datafusion::functions_aggregate::{
    any_value, array_agg, bit_and_or_xor, bool_and_or, string_agg, variance,
};

use super::{
    super::{Function, Made},
    FAMILY,
    renamed::{renamed, unturned},
};

const WINDOW: &str = "window";

/// The functions that DataFusion has.
pub(super) fn functions() -> Vec<Function> {
    let mut all = by_another_name();
    all.extend(native());
    all.extend(native_choices());
    all.extend(native_statistics());
    all.extend(native_pairs());
    all.extend(window());
    all.extend(window_values());
    all
}

fn by_another_name() -> Vec<Function> {
    vec![
        Function {
            name: "arbitrary",
            aliases: &[],
            family: FAMILY,
            signature: "arbitrary(x) → x",
            text: "Any value that is not NULL, where there is one.",
            examples: &[("arbitrary(7)", "7")],
            make: || renamed("arbitrary", any_value::any_value_udaf()),
        },
        Function {
            name: "every",
            aliases: &[],
            family: FAMILY,
            signature: "every(boolean) → boolean",
            text: "Whether all values are true; NULL is left out.",
            examples: &[("every(true)", "true")],
            make: || renamed("every", bool_and_or::bool_and_udaf()),
        },
        Function {
            name: "bitwise_and_agg",
            aliases: &[],
            family: FAMILY,
            signature: "bitwise_and_agg(x) → bigint",
            text: "The bits that all values have.",
            examples: &[("bitwise_and_agg(6)", "6")],
            make: || renamed("bitwise_and_agg", bit_and_or_xor::bit_and_udaf()),
        },
        Function {
            name: "bitwise_or_agg",
            aliases: &[],
            family: FAMILY,
            signature: "bitwise_or_agg(x) → bigint",
            text: "The bits that some value has.",
            examples: &[("bitwise_or_agg(6)", "6")],
            make: || renamed("bitwise_or_agg", bit_and_or_xor::bit_or_udaf()),
        },
        Function {
            name: "bitwise_xor_agg",
            aliases: &[],
            family: FAMILY,
            signature: "bitwise_xor_agg(x) → bigint",
            text: "The bits that an odd number of values have.",
            examples: &[("bitwise_xor_agg(6)", "6")],
            make: || renamed("bitwise_xor_agg", bit_and_or_xor::bit_xor_udaf()),
        },
        Function {
            name: "listagg",
            aliases: &[],
            family: FAMILY,
            signature: "listagg(x, separator) → varchar",
            text: "The values that are not NULL as one text, with the separator between them.",
            examples: &[("listagg('a', ',')", "a")],
            make: || renamed("listagg", string_agg::string_agg_udaf()),
        },
        Function {
            name: "variance",
            aliases: &[],
            family: FAMILY,
            signature: "variance(x) → double",
            text: "The variance of a sample; NULL for fewer than two values.",
            examples: &[("variance(1)", "NULL")],
            make: || renamed("variance", variance::var_samp_udaf()),
        },
    ]
}

fn native() -> Vec<Function> {
    vec![
        Function {
            name: "count",
            aliases: &[],
            family: FAMILY,
            signature: "count(*) → bigint, count(x) → bigint",
            text: "How many rows there are, or how many values that are not NULL.",
            examples: &[("count(NULL)", "0")],
            make: || Made::Native,
        },
        Function {
            name: "sum",
            aliases: &[],
            family: FAMILY,
            signature: "sum(x) → x",
            text: "The sum; NULL where there is no value. A sum that no bigint holds is an error.",
            examples: &[("sum(7)", "7")],
            make: super::sum::made,
        },
        Function {
            name: "avg",
            aliases: &[],
            family: FAMILY,
            signature: "avg(x) → double or decimal",
            text: "The arithmetic mean; of decimals at their own scale. NULL where there is no value.",
            examples: &[("avg(7)", "7.0")],
            make: super::mean::made,
        },
        Function {
            name: "max",
            aliases: &[],
            family: FAMILY,
            signature: "max(x) → x",
            text: "The greatest value; NULL is left out.",
            examples: &[("max(7)", "7")],
            make: || Made::Native,
        },
        Function {
            name: "min",
            aliases: &[],
            family: FAMILY,
            signature: "min(x) → x",
            text: "The least value; NULL is left out.",
            examples: &[("min(7)", "7")],
            make: || Made::Native,
        },
    ]
}

fn native_choices() -> Vec<Function> {
    vec![
        Function {
            name: "array_agg",
            aliases: &[],
            family: FAMILY,
            signature: "array_agg(x [ORDER BY …]) → array(x)",
            text: "The values of all rows, NULL included.",
            examples: &[("array_agg(7)", "[7]")],
            make: || unturned("array_agg", array_agg::array_agg_udaf()),
        },
        Function {
            name: "any_value",
            aliases: &[],
            family: FAMILY,
            signature: "any_value(x) → x",
            text: "Any value that is not NULL, where there is one.",
            examples: &[("any_value(7)", "7")],
            make: || Made::Native,
        },
        Function {
            name: "bool_and",
            aliases: &[],
            family: FAMILY,
            signature: "bool_and(boolean) → boolean",
            text: "Whether all values are true; NULL is left out.",
            examples: &[("bool_and(true)", "true")],
            make: || Made::Native,
        },
        Function {
            name: "bool_or",
            aliases: &[],
            family: FAMILY,
            signature: "bool_or(boolean) → boolean",
            text: "Whether any value is true; NULL is left out.",
            examples: &[("bool_or(true)", "true")],
            make: || Made::Native,
        },
        Function {
            name: "approx_distinct",
            aliases: &[],
            family: FAMILY,
            signature: "approx_distinct(x) → bigint",
            text: "About how many distinct values there are.",
            examples: &[("approx_distinct(7)", "1")],
            make: || Made::Native,
        },
    ]
}

fn native_statistics() -> Vec<Function> {
    vec![
        Function {
            name: "stddev",
            aliases: &[],
            family: FAMILY,
            signature: "stddev(x) → double",
            text: "The standard deviation of a sample; NULL for fewer than two values.",
            examples: &[("stddev(1)", "NULL")],
            make: || Made::Native,
        },
        Function {
            name: "stddev_pop",
            aliases: &[],
            family: FAMILY,
            signature: "stddev_pop(x) → double",
            text: "The standard deviation of all values.",
            examples: &[("stddev_pop(1)", "0.0")],
            make: || Made::Native,
        },
        Function {
            name: "var_samp",
            aliases: &[],
            family: FAMILY,
            signature: "var_samp(x) → double",
            text: "The variance of a sample; NULL for fewer than two values.",
            examples: &[("var_samp(1)", "NULL")],
            make: || Made::Native,
        },
        Function {
            name: "var_pop",
            aliases: &[],
            family: FAMILY,
            signature: "var_pop(x) → double",
            text: "The variance of all values.",
            examples: &[("var_pop(1)", "0.0")],
            make: || Made::Native,
        },
    ]
}

fn native_pairs() -> Vec<Function> {
    vec![
        Function {
            name: "corr",
            aliases: &[],
            family: FAMILY,
            signature: "corr(y, x) → double",
            text: "The correlation of two columns.",
            examples: &[],
            make: || Made::Native,
        },
        Function {
            name: "covar_pop",
            aliases: &[],
            family: FAMILY,
            signature: "covar_pop(y, x) → double",
            text: "The covariance of two columns.",
            examples: &[("covar_pop(1, 2)", "0.0")],
            make: || Made::Native,
        },
        Function {
            name: "covar_samp",
            aliases: &[],
            family: FAMILY,
            signature: "covar_samp(y, x) → double",
            text: "The covariance of a sample of two columns.",
            examples: &[("covar_samp(1, 2)", "NULL")],
            make: || Made::Native,
        },
        Function {
            name: "regr_slope",
            aliases: &[],
            family: FAMILY,
            signature: "regr_slope(y, x) → double",
            text: "The slope of the line that fits best.",
            examples: &[],
            make: || Made::Native,
        },
        Function {
            name: "regr_intercept",
            aliases: &[],
            family: FAMILY,
            signature: "regr_intercept(y, x) → double",
            text: "Where the line that fits best meets the axis.",
            examples: &[],
            make: || Made::Native,
        },
    ]
}

fn window() -> Vec<Function> {
    vec![
        Function {
            name: "row_number",
            aliases: &[],
            family: WINDOW,
            signature: "row_number() → bigint",
            text: "The number of the row in its partition, from 1.",
            examples: &[],
            make: || Made::Native,
        },
        Function {
            name: "rank",
            aliases: &[],
            family: WINDOW,
            signature: "rank() → bigint",
            text: "The rank of the row; rows of the same rank leave gaps behind them.",
            examples: &[],
            make: || Made::Native,
        },
        Function {
            name: "dense_rank",
            aliases: &[],
            family: WINDOW,
            signature: "dense_rank() → bigint",
            text: "The rank of the row, without gaps.",
            examples: &[],
            make: || Made::Native,
        },
        Function {
            name: "percent_rank",
            aliases: &[],
            family: WINDOW,
            signature: "percent_rank() → double",
            text: "The rank of the row as a part of the rows, from 0 to 1.",
            examples: &[],
            make: || Made::Native,
        },
        Function {
            name: "cume_dist",
            aliases: &[],
            family: WINDOW,
            signature: "cume_dist() → double",
            text: "The part of the rows that are not after this one.",
            examples: &[],
            make: || Made::Native,
        },
    ]
}

fn window_values() -> Vec<Function> {
    vec![
        Function {
            name: "ntile",
            aliases: &[],
            family: WINDOW,
            signature: "ntile(n) → bigint",
            text: "The number of the row's bucket, of n buckets of about the same size.",
            examples: &[],
            make: || Made::Native,
        },
        Function {
            name: "first_value",
            aliases: &[],
            family: WINDOW,
            signature: "first_value(x) [IGNORE NULLS] → x",
            text: "The value of the first row of the frame.",
            examples: &[],
            make: || Made::Native,
        },
        Function {
            name: "last_value",
            aliases: &[],
            family: WINDOW,
            signature: "last_value(x) [IGNORE NULLS] → x",
            text: "The value of the last row of the frame.",
            examples: &[],
            make: || Made::Native,
        },
        Function {
            name: "nth_value",
            aliases: &[],
            family: WINDOW,
            signature: "nth_value(x, n) [IGNORE NULLS] → x",
            text: "The value of the n-th row of the frame.",
            examples: &[],
            make: || Made::Native,
        },
        Function {
            name: "lag",
            aliases: &[],
            family: WINDOW,
            signature: "lag(x[, offset[, default]]) [IGNORE NULLS] → x",
            text: "The value of the row that many rows, or one, before.",
            examples: &[],
            make: || Made::Native,
        },
        Function {
            name: "lead",
            aliases: &[],
            family: WINDOW,
            signature: "lead(x[, offset[, default]]) [IGNORE NULLS] → x",
            text: "The value of the row that many rows, or one, after.",
            examples: &[],
            make: || Made::Native,
        },
    ]
}
