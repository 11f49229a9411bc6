//! Functions over the rows of a group or of a window, as in
//! <https://trino.io/docs/current/functions/aggregate.html> and
//! <https://trino.io/docs/current/functions/window.html>.

mod by;
mod keyed;
mod percentile;
mod sums;
mod udaf;

use std::sync::Arc;

use datafusion::{
    functions_aggregate::{any_value, bit_and_or_xor, bool_and_or, variance},
    logical_expr::AggregateUDF,
};

use super::{Function, Made};
use udaf::Aggregate;

const FAMILY: &str = "aggregate";
const WINDOW: &str = "window";

/// The functions over groups and windows.
pub(super) fn functions() -> Vec<Function> {
    let mut all = choosing();
    all.extend(mapping());
    all.extend(measuring());
    all.extend(renamed());
    all.extend(native());
    all.extend(native_statistics());
    all.extend(window());
    all
}

/// A function of DataFusion's by another name.
fn alias(name: &'static str, function: &Arc<AggregateUDF>) -> Made {
    Made::Aggregate(function.as_ref().clone().with_aliases([name]))
}

fn choosing() -> Vec<Function> {
    vec![
        Function {
            name: "count_if",
            aliases: &[],
            family: FAMILY,
            signature: "count_if(boolean) → bigint",
            text: "How many rows the argument is true for.",
            examples: &[("count_if(true)", "1")],
            make: || {
                Aggregate {
                    name: "count_if",
                    coerce: sums::one_boolean,
                    returns: sums::bigint,
                    state: sums::count_state,
                    make: sums::count_if,
                    simplify: Some(sums::simplify_count_if),
                    ordered: false,
                }
                .made()
            },
        },
        Function {
            name: "max_by",
            aliases: &[],
            family: FAMILY,
            signature: "max_by(x, y[, n]) → x",
            text: "The x of the row with the greatest y; with n, an array of those of the n \
                   greatest. Rows whose y is NULL do not count.",
            examples: &[("max_by('a', 1)", "a"), ("max_by('a', 1, 2)", "[a]")],
            make: || {
                Aggregate {
                    name: "max_by",
                    coerce: by::types,
                    returns: by::returns,
                    state: by::state,
                    make: by::max_by,
                    simplify: Some(by::simplify_max_by),
                    ordered: false,
                }
                .made()
            },
        },
        Function {
            name: "min_by",
            aliases: &[],
            family: FAMILY,
            signature: "min_by(x, y[, n]) → x",
            text: "The x of the row with the least y; with n, an array of those of the n \
                   least. Rows whose y is NULL do not count.",
            examples: &[("min_by('a', 1)", "a")],
            make: || {
                Aggregate {
                    name: "min_by",
                    coerce: by::types,
                    returns: by::returns,
                    state: by::state,
                    make: by::min_by,
                    simplify: Some(by::simplify_min_by),
                    ordered: false,
                }
                .made()
            },
        },
    ]
}

fn mapping() -> Vec<Function> {
    vec![
        Function {
            name: "histogram",
            aliases: &[],
            family: FAMILY,
            signature: "histogram(x) → map(x, bigint)",
            text: "How often each value is there; NULL is not counted.",
            examples: &[("histogram('a')", "{a: 1}")],
            make: || {
                Aggregate {
                    name: "histogram",
                    coerce: keyed::one,
                    returns: keyed::histogram_type,
                    state: keyed::histogram_state,
                    make: keyed::histogram,
                    simplify: None,
                    ordered: false,
                }
                .made()
            },
        },
        Function {
            name: "map_agg",
            aliases: &[],
            family: FAMILY,
            signature: "map_agg(key, value) → map",
            text: "A map of the keys and values of the rows. One value of each key is kept; \
                   keys that are NULL are left out.",
            examples: &[("map_agg('a', 1)", "{a: 1}")],
            make: || {
                Aggregate {
                    name: "map_agg",
                    coerce: keyed::two,
                    returns: keyed::map_agg_type,
                    state: keyed::map_agg_state,
                    make: keyed::map_agg,
                    simplify: None,
                    ordered: true,
                }
                .made()
            },
        },
        Function {
            name: "multimap_agg",
            aliases: &[],
            family: FAMILY,
            signature: "multimap_agg(key, value) → map(key, array(value))",
            text: "A map of the keys and all values of each. Keys that are NULL are left out.",
            examples: &[("multimap_agg('a', 1)", "{a: [1]}")],
            make: || {
                Aggregate {
                    name: "multimap_agg",
                    coerce: keyed::two,
                    returns: keyed::multimap_agg_type,
                    state: keyed::multimap_agg_state,
                    make: keyed::multimap_agg,
                    simplify: None,
                    ordered: true,
                }
                .made()
            },
        },
        Function {
            name: "map_union",
            aliases: &[],
            family: FAMILY,
            signature: "map_union(map) → map",
            text: "One map of all. One value of each key is kept.",
            examples: &[("map_union(map(ARRAY['a'], ARRAY[1]))", "{a: 1}")],
            make: || {
                Aggregate {
                    name: "map_union",
                    coerce: keyed::a_map,
                    returns: keyed::map_union_type,
                    state: keyed::map_union_state,
                    make: keyed::map_union,
                    simplify: None,
                    ordered: true,
                }
                .made()
            },
        },
    ]
}

fn measuring() -> Vec<Function> {
    vec![
        Function {
            name: "approx_percentile",
            aliases: &[],
            family: FAMILY,
            signature: "approx_percentile(x[, w], percentage) → x, approx_percentile(x[, w], array(percentage)) → array(x)",
            text: "About the value below which that part, from 0 to 1, of the values lies; \
                   several parts at once; values with weights. Exact for a few thousand \
                   values.",
            examples: &[
                ("approx_percentile(7, 0.5)", "7"),
                ("approx_percentile(7, ARRAY[0.1, 0.9])", "[7, 7]"),
            ],
            make: || {
                Aggregate {
                    name: "approx_percentile",
                    coerce: percentile::types,
                    returns: percentile::returns,
                    state: percentile::state,
                    make: percentile::make,
                    simplify: None,
                    ordered: false,
                }
                .made()
            },
        },
        Function {
            name: "geometric_mean",
            aliases: &[],
            family: FAMILY,
            signature: "geometric_mean(x) → double",
            text: "The geometric mean.",
            examples: &[("round(geometric_mean(4))", "4.0")],
            make: || {
                Aggregate {
                    name: "geometric_mean",
                    coerce: sums::one_number,
                    returns: sums::double,
                    state: sums::sums_state,
                    make: sums::geometric_mean,
                    simplify: None,
                    ordered: false,
                }
                .made()
            },
        },
        Function {
            name: "skewness",
            aliases: &[],
            family: FAMILY,
            signature: "skewness(x) → double",
            text: "How lopsided the values are; NULL for fewer than three.",
            examples: &[("skewness(1)", "NULL")],
            make: || {
                Aggregate {
                    name: "skewness",
                    coerce: sums::one_number,
                    returns: sums::double,
                    state: sums::sums_state,
                    make: sums::skewness,
                    simplify: None,
                    ordered: false,
                }
                .made()
            },
        },
        Function {
            name: "kurtosis",
            aliases: &[],
            family: FAMILY,
            signature: "kurtosis(x) → double",
            text: "The excess kurtosis, an estimate without bias; NULL for fewer than four \
                   values.",
            examples: &[("kurtosis(1)", "NULL")],
            make: || {
                Aggregate {
                    name: "kurtosis",
                    coerce: sums::one_number,
                    returns: sums::double,
                    state: sums::sums_state,
                    make: sums::kurtosis,
                    simplify: None,
                    ordered: false,
                }
                .made()
            },
        },
        Function {
            name: "entropy",
            aliases: &[],
            family: FAMILY,
            signature: "entropy(count) → double",
            text: "The entropy, in bits, of counts.",
            examples: &[("entropy(5)", "0.0")],
            make: || {
                Aggregate {
                    name: "entropy",
                    coerce: sums::one_number,
                    returns: sums::double,
                    state: sums::sums_state,
                    make: sums::entropy,
                    simplify: None,
                    ordered: false,
                }
                .made()
            },
        },
    ]
}

fn renamed() -> Vec<Function> {
    vec![
        Function {
            name: "arbitrary",
            aliases: &["any_value"],
            family: FAMILY,
            signature: "arbitrary(x) → x",
            text: "Any value that is not NULL, where there is one.",
            examples: &[("arbitrary(7)", "7")],
            make: || alias("arbitrary", &any_value::any_value_udaf()),
        },
        Function {
            name: "bool_and",
            aliases: &["every"],
            family: FAMILY,
            signature: "bool_and(boolean) → boolean",
            text: "Whether all values are true; NULL is left out.",
            examples: &[("bool_and(true)", "true")],
            make: || alias("bool_and", &bool_and_or::bool_and_udaf()),
        },
        Function {
            name: "bitwise_and_agg",
            aliases: &[],
            family: FAMILY,
            signature: "bitwise_and_agg(x) → bigint",
            text: "The bits that all values have.",
            examples: &[("bitwise_and_agg(6)", "6")],
            make: || alias("bitwise_and_agg", &bit_and_or_xor::bit_and_udaf()),
        },
        Function {
            name: "bitwise_or_agg",
            aliases: &[],
            family: FAMILY,
            signature: "bitwise_or_agg(x) → bigint",
            text: "The bits that some value has.",
            examples: &[("bitwise_or_agg(6)", "6")],
            make: || alias("bitwise_or_agg", &bit_and_or_xor::bit_or_udaf()),
        },
        Function {
            name: "bitwise_xor_agg",
            aliases: &[],
            family: FAMILY,
            signature: "bitwise_xor_agg(x) → bigint",
            text: "The bits that an odd number of values have.",
            examples: &[("bitwise_xor_agg(6)", "6")],
            make: || alias("bitwise_xor_agg", &bit_and_or_xor::bit_xor_udaf()),
        },
        Function {
            name: "variance",
            aliases: &["var_samp"],
            family: FAMILY,
            signature: "variance(x) → double",
            text: "The variance of a sample; NULL for fewer than two values.",
            examples: &[("variance(1)", "NULL")],
            make: || alias("variance", &variance::var_samp_udaf()),
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
            text: "The sum; NULL where there is no value.",
            examples: &[("sum(7)", "7")],
            make: || Made::Native,
        },
        Function {
            name: "avg",
            aliases: &[],
            family: FAMILY,
            signature: "avg(x) → double",
            text: "The arithmetic mean; NULL where there is no value.",
            examples: &[("avg(7)", "7.0")],
            make: || Made::Native,
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
        Function {
            name: "array_agg",
            aliases: &[],
            family: FAMILY,
            signature: "array_agg(x [ORDER BY …]) → array(x)",
            text: "The values of all rows, NULL included.",
            examples: &[("array_agg(7)", "[7]")],
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
            name: "var_pop",
            aliases: &[],
            family: FAMILY,
            signature: "var_pop(x) → double",
            text: "The variance of all values.",
            examples: &[("var_pop(1)", "0.0")],
            make: || Made::Native,
        },
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
