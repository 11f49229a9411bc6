//! Arrays, as in <https://trino.io/docs/current/functions/array.html>.
//!
//! `concat`, `contains` and `reverse` also take text and are with the functions over text; those that
//! take a lambda are in `lambda`.

mod access;
mod join;
mod sequence;
mod sets;
mod shape;
mod subscript;

use arrow::datatypes::DataType;
use datafusion::{
    error::Result,
    logical_expr::{ReturnFieldArgs, Volatility},
};

use super::{
    Function,
    nested::{argument, as_list, element, refuse},
    scalar::Scalar,
};

pub(super) use shape::side_by_side;
pub(super) use subscript::subscript;

const FAMILY: &str = "array";

fn one_list(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [list] => match as_list(list) {
            Some(list) => Ok(vec![list]),
            None => refuse("an array", types),
        },
        _ => refuse("an array", types),
    }
}

fn of_element(args: &ReturnFieldArgs<'_>) -> Result<DataType> {
    Ok(element(argument(args, 0)?)?.clone())
}

fn same_list(args: &ReturnFieldArgs<'_>) -> Result<DataType> {
    Ok(super::nested::list_of(of_element(args)?))
}

fn common_element(args: &ReturnFieldArgs<'_>) -> Result<DataType> {
    Ok(super::nested::list_of(argument(args, 1)?.clone()))
}

/// The functions over arrays.
pub(super) fn functions() -> Vec<Function> {
    let mut all = looking();
    all.extend(comparing());
    all.extend(matching());
    all.extend(as_sets());
    all.extend(shaping());
    all.extend(choosing());
    all
}

fn looking() -> Vec<Function> {
    vec![
        Function {
            name: "element_at",
            aliases: &[],
            family: FAMILY,
            signature: "element_at(array, position) → element, element_at(map, key) → value",
            text: "The element at a position, counted from 1, or from the end where it is negative; \
                   the value of a key of a map. NULL where there is none.",
            examples: &[
                ("element_at(ARRAY['a', 'b', 'c'], -1)", "c"),
                ("element_at(ARRAY['a'], 2)", "NULL"),
                ("element_at(map(ARRAY['k'], ARRAY['v']), 'k')", "v"),
            ],
            make: || {
                let coerce = access::element_at_types;
                Scalar::new("element_at", coerce, access::element_at_type, access::element_at)
                    .made()
            },
        },
        Function {
            name: "cardinality",
            aliases: &[],
            family: FAMILY,
            signature: "cardinality(array) → bigint, cardinality(map) → bigint",
            text: "How many elements an array has, or how many keys a map.",
            examples: &[
                ("cardinality(ARRAY[ARRAY[1, 2], ARRAY[3]])", "2"),
                ("cardinality(map(ARRAY['a'], ARRAY[1]))", "1"),
            ],
            make: || {
                Scalar::new(
                    "cardinality",
                    access::container,
                    |_| Ok(DataType::Int64),
                    access::cardinality,
                )
                .made()
            },
        },
        Function {
            name: "array_first",
            aliases: &[],
            family: FAMILY,
            signature: "array_first(array) → element",
            text: "The first element; NULL where there is none.",
            examples: &[("array_first(ARRAY[7, 8])", "7")],
            make: || Scalar::new("array_first", one_list, of_element, access::array_first).made(),
        },
        Function {
            name: "array_last",
            aliases: &[],
            family: FAMILY,
            signature: "array_last(array) → element",
            text: "The last element; NULL where there is none.",
            examples: &[("array_last(ARRAY[7, 8])", "8")],
            make: || Scalar::new("array_last", one_list, of_element, access::array_last).made(),
        },
    ]
}

fn comparing() -> Vec<Function> {
    vec![
        Function {
            name: "array_max",
            aliases: &[],
            family: FAMILY,
            signature: "array_max(array) → element",
            text: "The greatest element; NULL where an element is NULL or there is none.",
            examples: &[("array_max(ARRAY[4, 9, 2])", "9"), ("array_max(ARRAY[4, NULL])", "NULL")],
            make: || Scalar::new("array_max", one_list, of_element, access::array_max).made(),
        },
        Function {
            name: "array_min",
            aliases: &[],
            family: FAMILY,
            signature: "array_min(array) → element",
            text: "The least element; NULL where an element is NULL or there is none.",
            examples: &[("array_min(ARRAY[4, 9, 2])", "2")],
            make: || Scalar::new("array_min", one_list, of_element, access::array_min).made(),
        },
        Function {
            name: "array_position",
            aliases: &[],
            family: FAMILY,
            signature: "array_position(array, element) → bigint",
            text: "The position of the first such element, counted from 1; 0 where there is none.",
            examples: &[
                ("array_position(ARRAY['a', 'b'], 'b')", "2"),
                ("array_position(ARRAY['a', 'b'], 'z')", "0"),
            ],
            make: || {
                let run = access::array_position;
                Scalar::new(
                    "array_position",
                    access::list_and_element,
                    |_| Ok(DataType::Int64),
                    run,
                )
                .made()
            },
        },
    ]
}

fn matching() -> Vec<Function> {
    vec![
        Function {
            name: "contains_sequence",
            aliases: &[],
            family: FAMILY,
            signature: "contains_sequence(array, sequence) → boolean",
            text: "Whether all elements of the second array stand in the first, one after the other.",
            examples: &[
                ("contains_sequence(ARRAY[1, 2, 3], ARRAY[2, 3])", "true"),
                ("contains_sequence(ARRAY[1, 2, 3], ARRAY[1, 3])", "false"),
            ],
            make: || {
                let run = access::contains_sequence;
                Scalar::new("contains_sequence", sets::two_lists, |_| Ok(DataType::Boolean), run)
                    .made()
            },
        },
        Function {
            name: "arrays_overlap",
            aliases: &[],
            family: FAMILY,
            signature: "arrays_overlap(array, array) → boolean",
            text: "Whether two arrays have an element in common. NULL where they have none but one \
                   of them holds a NULL.",
            examples: &[
                ("arrays_overlap(ARRAY[1, 2], ARRAY[2, 3])", "true"),
                ("arrays_overlap(ARRAY[1, NULL], ARRAY[2])", "NULL"),
            ],
            make: || {
                let run = access::arrays_overlap;
                Scalar::new("arrays_overlap", sets::two_lists, |_| Ok(DataType::Boolean), run)
                    .made()
            },
        },
        Function {
            name: "array_join",
            aliases: &[],
            family: FAMILY,
            signature: "array_join(array, delimiter[, null_replacement]) → varchar",
            text: "The elements as one text, with the delimiter between them. Elements that are NULL \
                   are left out, or replaced.",
            examples: &[
                ("array_join(ARRAY['a', NULL, 'c'], '-')", "a-c"),
                ("array_join(ARRAY[1, NULL, 3], ',', '?')", "1,?,3"),
            ],
            make: || {
                Scalar::new("array_join", join::types, |_| Ok(DataType::Utf8), join::run).made()
            },
        },
    ]
}

fn as_sets() -> Vec<Function> {
    vec![
        Function {
            name: "array_distinct",
            aliases: &[],
            family: FAMILY,
            signature: "array_distinct(array) → array",
            text: "The array without elements that it already has.",
            examples: &[("array_distinct(ARRAY[2, 1, 2])", "[2, 1]")],
            make: || {
                Scalar::new("array_distinct", one_list, same_list, sets::array_distinct).made()
            },
        },
        Function {
            name: "array_union",
            aliases: &[],
            family: FAMILY,
            signature: "array_union(array, array) → array",
            text: "The elements of both arrays, each once.",
            examples: &[("array_union(ARRAY[1, 2], ARRAY[2, 3])", "[1, 2, 3]")],
            make: || {
                let run = sets::array_union;
                Scalar::new("array_union", sets::two_lists, sets::common_list, run).made()
            },
        },
        Function {
            name: "array_intersect",
            aliases: &[],
            family: FAMILY,
            signature: "array_intersect(array, array) → array",
            text: "The elements that both arrays have, each once.",
            examples: &[("array_intersect(ARRAY[1, 2, 2], ARRAY[2, 3])", "[2]")],
            make: || {
                let run = sets::array_intersect;
                Scalar::new("array_intersect", sets::two_lists, sets::common_list, run).made()
            },
        },
        Function {
            name: "array_except",
            aliases: &[],
            family: FAMILY,
            signature: "array_except(array, array) → array",
            text: "The elements of the first array that the second has not, each once.",
            examples: &[("array_except(ARRAY[1, 1, 2], ARRAY[2, 3])", "[1]")],
            make: || {
                let run = sets::array_except;
                Scalar::new("array_except", sets::two_lists, sets::common_list, run).made()
            },
        },
        Function {
            name: "array_remove",
            aliases: &[],
            family: FAMILY,
            signature: "array_remove(array, element) → array",
            text: "The array without the elements that equal the second argument.",
            examples: &[("array_remove(ARRAY[1, 2, 1], 1)", "[2]")],
            make: || {
                let run = sets::array_remove;
                Scalar::new("array_remove", access::list_and_element, common_element, run).made()
            },
        },
        Function {
            name: "array_histogram",
            aliases: &[],
            family: FAMILY,
            signature: "array_histogram(array) → map(element, bigint)",
            text: "How often each element is in the array.",
            examples: &[("array_histogram(ARRAY['x', 'y', 'x'])", "{x: 2, y: 1}")],
            make: || {
                let run = sets::array_histogram;
                Scalar::new("array_histogram", one_list, sets::histogram_type, run).made()
            },
        },
    ]
}

fn shaping() -> Vec<Function> {
    vec![
        Function {
            name: "slice",
            aliases: &[],
            family: FAMILY,
            signature: "slice(array, start, length) → array",
            text: "The elements from a position on, counted from 1, or from the end where it is \
                   negative.",
            examples: &[
                ("slice(ARRAY[1, 2, 3, 4], 2, 2)", "[2, 3]"),
                ("slice(ARRAY[1, 2, 3, 4], -2, 9)", "[3, 4]"),
            ],
            make: || Scalar::new("slice", shape::slice_types, same_list, shape::slice).made(),
        },
        Function {
            name: "trim_array",
            aliases: &[],
            family: FAMILY,
            signature: "trim_array(array, n) → array",
            text: "The array without its last n elements.",
            examples: &[("trim_array(ARRAY[1, 2, 3], 1)", "[1, 2]")],
            make: || {
                Scalar::new("trim_array", shape::list_and_number, same_list, shape::trim_array)
                    .made()
            },
        },
        Function {
            name: "repeat",
            aliases: &[],
            family: FAMILY,
            signature: "repeat(element, count) → array",
            text: "An array of the same element, count times.",
            examples: &[("repeat('x', 3)", "[x, x, x]")],
            make: || {
                let returns = shape::list_of_first;
                Scalar::new("repeat", shape::repeat_types, returns, shape::repeat).made()
            },
        },
        Function {
            name: "flatten",
            aliases: &[],
            family: FAMILY,
            signature: "flatten(array(array)) → array",
            text: "The elements of the arrays in an array, in one array.",
            examples: &[("flatten(ARRAY[ARRAY[1, 2], ARRAY[3]])", "[1, 2, 3]")],
            make: || {
                Scalar::new("flatten", shape::flatten_types, shape::flatten_type, shape::flatten)
                    .made()
            },
        },
        Function {
            name: "zip",
            aliases: &[],
            family: FAMILY,
            signature: "zip(array, array, …) → array(row)",
            text: "Rows of the first elements, the second elements and so on; NULL where an array \
                   has no more.",
            examples: &[("cardinality(zip(ARRAY[1, 2], ARRAY['a']))", "2")],
            make: || Scalar::new("zip", shape::zip_types, shape::zip_type, shape::zip).made(),
        },
    ]
}

fn choosing() -> Vec<Function> {
    vec![
        Function {
            name: "ngrams",
            aliases: &[],
            family: FAMILY,
            signature: "ngrams(array, n) → array(array)",
            text: "All runs of n elements; the array itself where it is shorter.",
            examples: &[("ngrams(ARRAY['a', 'b', 'c'], 2)", "[[a, b], [b, c]]")],
            make: || {
                let returns = shape::list_of_lists;
                Scalar::new("ngrams", shape::list_and_number, returns, shape::ngrams).made()
            },
        },
        Function {
            name: "combinations",
            aliases: &[],
            family: FAMILY,
            signature: "combinations(array, n) → array(array)",
            text: "All choices of n elements, n up to 5.",
            examples: &[("combinations(ARRAY['a', 'b', 'c'], 2)", "[[a, b], [a, c], [b, c]]")],
            make: || {
                let returns = shape::list_of_lists;
                let run = shape::combinations;
                Scalar::new("combinations", shape::list_and_number, returns, run).made()
            },
        },
        Function {
            name: "shuffle",
            aliases: &[],
            family: FAMILY,
            signature: "shuffle(array) → array",
            text: "The array in a random order.",
            examples: &[("cardinality(shuffle(ARRAY[1, 2, 3]))", "3")],
            make: || {
                let shuffle = Scalar::new("shuffle", one_list, same_list, shape::shuffle);
                Scalar { volatility: Volatility::Volatile, ..shuffle }.made()
            },
        },
        Function {
            name: "sequence",
            aliases: &[],
            family: FAMILY,
            signature: "sequence(start, stop[, step]) → array",
            text: "Numbers, dates or timestamps from start to stop, both included. The step is 1 or \
                   a day, towards stop, where none is given; timestamps need one. It is an interval \
                   for dates and timestamps.",
            examples: &[
                ("sequence(1, 5)", "[1, 2, 3, 4, 5]"),
                ("sequence(5, 1, -2)", "[5, 3, 1]"),
                (
                    "sequence(DATE '2024-01-31', DATE '2024-03-31', INTERVAL '1' MONTH)",
                    "[2024-01-31, 2024-02-29, 2024-03-31]",
                ),
            ],
            make: || {
                Scalar::new("sequence", sequence::types, sequence::returns, sequence::run).made()
            },
        },
    ]
}
