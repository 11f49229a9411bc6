//! Functions that take a lambda, as in <https://trino.io/docs/current/functions/lambda.html> and the
//! pages about arrays and maps.

mod each;
mod higher;
mod maps;
mod reduce;
mod sort;

use super::Function;
use higher::{Higher, settled};

const FAMILY: &str = "lambda";

/// The functions that take a lambda.
pub(super) fn functions() -> Vec<Function> {
    let mut all = over_elements();
    all.extend(over_whole_arrays());
    all.extend(sorting());
    all.extend(over_maps());
    all.extend(over_two_maps());
    all
}

fn over_elements() -> Vec<Function> {
    vec![
        Function {
            name: "transform",
            aliases: &[],
            family: FAMILY,
            signature: "transform(array, x -> …) → array",
            text: "What the lambda gives for each element.",
            examples: &[("transform(ARRAY[1, 2], x -> x * 10)", "[10, 20]")],
            make: || {
                Higher {
                    name: "transform",
                    coerce: each::one_list,
                    parameters: each::of_element,
                    returns: each::transform_type,
                    run: each::transform,
                    settle: settled,
                }
                .made()
            },
        },
        Function {
            name: "filter",
            aliases: &[],
            family: FAMILY,
            signature: "filter(array, x -> boolean) → array",
            text: "The elements that the lambda gives true for.",
            examples: &[("filter(ARRAY[5, NULL, 7], x -> x IS NOT NULL)", "[5, 7]")],
            make: || {
                Higher {
                    name: "filter",
                    coerce: each::one_list,
                    parameters: each::of_element,
                    returns: each::filter_type,
                    run: each::filter,
                    settle: settled,
                }
                .made()
            },
        },
        Function {
            name: "any_match",
            aliases: &[],
            family: FAMILY,
            signature: "any_match(array, x -> boolean) → boolean",
            text: "Whether the lambda gives true for an element; NULL where it does not, but \
                   gives NULL for one. False for an empty array.",
            examples: &[("any_match(ARRAY[1, 2, 3], x -> x > 2)", "true")],
            make: || {
                Higher {
                    name: "any_match",
                    coerce: each::one_list,
                    parameters: each::of_element,
                    returns: each::match_type,
                    run: each::any_match,
                    settle: settled,
                }
                .made()
            },
        },
        Function {
            name: "all_match",
            aliases: &[],
            family: FAMILY,
            signature: "all_match(array, x -> boolean) → boolean",
            text: "Whether the lambda gives true for all elements; NULL where it gives false \
                   for none, but NULL for one. True for an empty array.",
            examples: &[("all_match(ARRAY[1, 2, 3], x -> x > 2)", "false")],
            make: || {
                Higher {
                    name: "all_match",
                    coerce: each::one_list,
                    parameters: each::of_element,
                    returns: each::match_type,
                    run: each::all_match,
                    settle: settled,
                }
                .made()
            },
        },
    ]
}

fn over_whole_arrays() -> Vec<Function> {
    vec![
        Function {
            name: "none_match",
            aliases: &[],
            family: FAMILY,
            signature: "none_match(array, x -> boolean) → boolean",
            text: "Whether the lambda gives true for no element; NULL where it gives true for \
                   none, but NULL for one. True for an empty array.",
            examples: &[("none_match(ARRAY[1, 2, 3], x -> x > 9)", "true")],
            make: || {
                Higher {
                    name: "none_match",
                    coerce: each::one_list,
                    parameters: each::of_element,
                    returns: each::match_type,
                    run: each::none_match,
                    settle: settled,
                }
                .made()
            },
        },
        Function {
            name: "zip_with",
            aliases: &[],
            family: FAMILY,
            signature: "zip_with(array, array, (x, y) -> …) → array",
            text: "What the lambda gives for the first elements of both arrays, the second \
                   ones and so on; NULL where an array has no more.",
            examples: &[("zip_with(ARRAY[1, 2], ARRAY[10, 20], (x, y) -> x + y)", "[11, 22]")],
            make: || {
                Higher {
                    name: "zip_with",
                    coerce: each::two_lists,
                    parameters: each::of_two_elements,
                    returns: each::zip_with_type,
                    run: each::zip_with,
                    settle: settled,
                }
                .made()
            },
        },
        Function {
            name: "reduce",
            aliases: &[],
            family: FAMILY,
            signature: "reduce(array, start, (state, x) -> …, state -> …) → value",
            text: "The state after the first lambda has taken in each element, as the second \
                   lambda gives it.",
            examples: &[("reduce(ARRAY[1, 2, 3], 0, (s, x) -> s + x, s -> s * 10)", "60")],
            make: || {
                Higher {
                    name: "reduce",
                    coerce: reduce::types,
                    parameters: reduce::parameters,
                    returns: reduce::returns,
                    run: reduce::run,
                    settle: reduce::settle,
                }
                .made()
            },
        },
    ]
}

fn sorting() -> Vec<Function> {
    vec![Function {
        name: "array_sort",
        aliases: &[],
        family: FAMILY,
        signature: "array_sort(array[, (x, y) -> integer]) → array",
        text: "The elements in ascending order, NULL last, or in the order of a lambda \
                   that gives -1, 0 or 1.",
        examples: &[
            ("array_sort(ARRAY[3, NULL, 1])", "[1, 3, NULL]"),
            (
                "array_sort(ARRAY['ccc', 'a', 'bb'], (x, y) -> CASE WHEN length(x) > length(y) THEN -1 WHEN length(x) < length(y) THEN 1 ELSE 0 END)",
                "[ccc, bb, a]",
            ),
        ],
        make: || {
            Higher {
                name: "array_sort",
                coerce: each::one_list,
                parameters: sort::parameters,
                returns: sort::returns,
                run: sort::run,
                settle: settled,
            }
            .made()
        },
    }]
}

fn over_maps() -> Vec<Function> {
    vec![
        Function {
            name: "map_filter",
            aliases: &[],
            family: FAMILY,
            signature: "map_filter(map, (k, v) -> boolean) → map",
            text: "The keys, with their values, that the lambda gives true for.",
            examples: &[(
                "map_filter(map(ARRAY['a', 'b'], ARRAY[1, 2]), (k, v) -> v > 1)",
                "{b: 2}",
            )],
            make: || {
                Higher {
                    name: "map_filter",
                    coerce: maps::one_map,
                    parameters: maps::of_entry,
                    returns: maps::map_filter_type,
                    run: maps::map_filter,
                    settle: settled,
                }
                .made()
            },
        },
        Function {
            name: "transform_keys",
            aliases: &[],
            family: FAMILY,
            signature: "transform_keys(map, (k, v) -> key) → map",
            text: "The map with the keys that the lambda gives. A key that is NULL or there \
                   twice is an error.",
            examples: &[(
                "transform_keys(map(ARRAY['a', 'b'], ARRAY[1, 2]), (k, v) -> upper(k))",
                "{A: 1, B: 2}",
            )],
            make: || {
                Higher {
                    name: "transform_keys",
                    coerce: maps::one_map,
                    parameters: maps::of_entry,
                    returns: maps::transform_keys_type,
                    run: maps::transform_keys,
                    settle: settled,
                }
                .made()
            },
        },
        Function {
            name: "transform_values",
            aliases: &[],
            family: FAMILY,
            signature: "transform_values(map, (k, v) -> value) → map",
            text: "The map with the values that the lambda gives.",
            examples: &[(
                "transform_values(map(ARRAY['a', 'b'], ARRAY[1, 2]), (k, v) -> v * 10)",
                "{a: 10, b: 20}",
            )],
            make: || {
                Higher {
                    name: "transform_values",
                    coerce: maps::one_map,
                    parameters: maps::of_entry,
                    returns: maps::transform_values_type,
                    run: maps::transform_values,
                    settle: settled,
                }
                .made()
            },
        },
    ]
}

fn over_two_maps() -> Vec<Function> {
    vec![Function {
        name: "map_zip_with",
        aliases: &[],
        family: FAMILY,
        signature: "map_zip_with(map, map, (k, v1, v2) -> value) → map",
        text: "A map of the keys of both maps, with what the lambda gives for their \
                   values; NULL where a map has not the key.",
        examples: &[(
            "map_zip_with(map(ARRAY['a'], ARRAY[1]), map(ARRAY['a'], ARRAY[10]), (k, x, y) -> x + y)",
            "{a: 11}",
        )],
        make: || {
            Higher {
                name: "map_zip_with",
                coerce: maps::two_maps,
                parameters: maps::of_two_entries,
                returns: maps::map_zip_with_type,
                run: maps::map_zip_with,
                settle: settled,
            }
            .made()
        },
    }]
}
