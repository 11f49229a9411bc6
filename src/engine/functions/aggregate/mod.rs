//! Functions over the rows of a group or of a window, as in
//! <https://trino.io/docs/current/functions/aggregate.html> and
//! <https://trino.io/docs/current/functions/window.html>.

mod by;
mod checksum;
mod distinct;
mod keyed;
mod mean;
mod native;
mod percentile;
mod renamed;
mod sum;
mod sums;
mod udaf;

use arrow::datatypes::DataType;

pub(in crate::engine) use self::distinct::DistinctTexts;
use super::Function;
use udaf::Aggregate;

const FAMILY: &str = "aggregate";

/// The functions over groups and windows.
pub(super) fn functions() -> Vec<Function> {
    let mut all = choosing();
    all.extend(mapping());
    all.extend(uniting());
    all.extend(percentiles());
    all.extend(statistics());
    all.extend(information());
    all.extend(native::functions());
    all
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
                    returns: |_| Ok(DataType::Int64),
                    state: |_| Ok(vec![DataType::Int64]),
                    make: |_| Ok(sums::count_if()),
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
                    simplify: Some(|function| Ok(by::simplify(function, false))),
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
                    simplify: Some(|function| Ok(by::simplify(function, true))),
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
    ]
}

fn uniting() -> Vec<Function> {
    vec![
        Function {
            name: "approx_most_frequent",
            aliases: &[],
            family: FAMILY,
            signature: "approx_most_frequent(buckets, value, capacity) → map(value, bigint)",
            text: "The most frequent values, so many as there are buckets, and how often each is \
                   there. The counts are exact, whatever the capacity.",
            examples: &[("approx_most_frequent(3, 'a', 10)", "{a: 1}")],
            make: || {
                Aggregate {
                    name: "approx_most_frequent",
                    coerce: keyed::frequent_types,
                    returns: keyed::frequent_type,
                    state: keyed::frequent_state,
                    make: keyed::frequent,
                    simplify: None,
                    ordered: false,
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

fn percentiles() -> Vec<Function> {
    vec![Function {
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
                state: |_| Ok(percentile::state()),
                make: percentile::make,
                simplify: None,
                ordered: false,
            }
            .made()
        },
    }]
}

fn statistics() -> Vec<Function> {
    vec![
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
                    returns: |_| Ok(DataType::Float64),
                    state: |_| Ok(vec![DataType::Float64; 5]),
                    make: |_| Ok(sums::geometric_mean()),
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
                    returns: |_| Ok(DataType::Float64),
                    state: |_| Ok(vec![DataType::Float64; 5]),
                    make: |_| Ok(sums::skewness()),
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
                    returns: |_| Ok(DataType::Float64),
                    state: |_| Ok(vec![DataType::Float64; 5]),
                    make: |_| Ok(sums::kurtosis()),
                    simplify: None,
                    ordered: false,
                }
                .made()
            },
        },
    ]
}

fn information() -> Vec<Function> {
    let checksum = Function {
        name: "checksum",
        aliases: &[],
        family: FAMILY,
        signature: "checksum(x) → varbinary",
        text: "A checksum of the values, the same in whatever order they come.",
        examples: &[("to_hex(checksum(CAST(NULL AS varchar)))", "87CAEB85B179379E")],
        make: || {
            Aggregate {
                name: "checksum",
                coerce: checksum::types,
                returns: |_| Ok(DataType::Binary),
                state: |_| Ok(vec![DataType::Int64]),
                make: |_| Ok(checksum::checksum()),
                simplify: None,
                ordered: false,
            }
            .made()
        },
    };
    let entropy = Function {
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
                returns: |_| Ok(DataType::Float64),
                state: |_| Ok(vec![DataType::Float64; 5]),
                make: |_| Ok(sums::entropy()),
                simplify: None,
                ordered: false,
            }
            .made()
        },
    };
    vec![checksum, entropy]
}
