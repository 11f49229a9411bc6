//! Strings made of others.

use arrow::{
    array::{Array, ArrayRef, AsArray},
    datatypes::DataType,
};
use datafusion::{
    common::{exec_err, plan_err},
    error::Result,
    logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs},
};

use super::{
    super::{
        Function, arrays,
        call::{
            Call,
            Kind::{self, BigInt, Varbinary, Varchar},
            as_first, does_not_take, given, quoted, scalar, take, too_large, varchar,
        },
        scalar::{Text, is_varchar},
    },
    FAMILY, byte_of, characters,
};

pub(super) fn functions() -> Vec<Function> {
    let mut all = joined();
    all.extend(cased());
    all.extend(changed());
    all
}

fn joined() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "concat",
            [],
            "concat(value, value, …) → varchar, varbinary or array",
            "All values in a row: strings, varbinaries or arrays. NULL where one of them is NULL.",
            [("concat('a', 'b', 'c')", "abc"), ("concat('a', NULL)", "NULL")],
            concat_types,
            concat_type,
            concat
        ),
        scalar!(
            FAMILY,
            "concat_ws",
            [],
            "concat_ws(separator, string, …) → varchar",
            "The strings, or those of an array, with the separator between them. NULLs are left \
             out; a separator that is NULL gives NULL.",
            [("concat_ws('-', 'a', NULL, 'b')", "a-b"), ("concat_ws('/', ARRAY['x', 'y'])", "x/y"),],
            concat_ws_types,
            varchar,
            concat_ws
        ),
        scalar!(
            FAMILY,
            "lpad",
            [],
            "lpad(string, size, pad) → varchar",
            "The string brought to a size: filled up at its start, or cut at its end.",
            [("lpad('7', 3, '0')", "007"), ("lpad('abcdef', 3, '0')", "abc")],
            |types| take(types, &[&[Varchar, BigInt, Varchar], &[Varbinary, BigInt, Varbinary]]),
            as_first,
            |args| pad(args, true)
        ),
        scalar!(
            FAMILY,
            "rpad",
            [],
            "rpad(string, size, pad) → varchar",
            "The string brought to a size: filled up or cut at its end.",
            [("rpad('ab', 5, '.')", "ab...")],
            |types| take(types, &[&[Varchar, BigInt, Varchar], &[Varbinary, BigInt, Varbinary]]),
            as_first,
            |args| pad(args, false)
        ),
        scalar!(
            FAMILY,
            "chr",
            [],
            "chr(code point) → varchar",
            "The character of a Unicode code point.",
            [("chr(65)", "A")],
            |types| take(types, &[&[BigInt]]),
            varchar,
            chr
        ),
    ]
}

fn cased() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "lower",
            [],
            "lower(string) → varchar",
            "The string in lower case.",
            [("lower('AbC')", "abc")],
            |types| take(types, &[&[Varchar]]),
            varchar,
            |args| cases(args, str::make_ascii_lowercase, lower)
        ),
        scalar!(
            FAMILY,
            "upper",
            [],
            "upper(string) → varchar",
            "The string in upper case.",
            [("upper('AbC')", "ABC")],
            |types| take(types, &[&[Varchar]]),
            varchar,
            |args| cases(args, str::make_ascii_uppercase, upper)
        ),
    ]
}

fn changed() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "replace",
            [],
            "replace(string, search[, replacement]) → varchar",
            "The string with all of what is searched for replaced, or taken out.",
            [("replace('a.b.c', '.', '/')", "a/b/c"), ("replace('a.b.c', '.')", "abc")],
            |types| take(types, &[&[Varchar, Varchar], &[Varchar, Varchar, Varchar]]),
            varchar,
            replace
        ),
        scalar!(
            FAMILY,
            "reverse",
            [],
            "reverse(string, varbinary or array) → the same",
            "The characters, bytes or elements from the last to the first.",
            [("reverse('añb')", "bña"), ("reverse(ARRAY[1, 2])", "[2, 1]")],
            |types| match types {
                [DataType::List(_)] => Ok(types.to_vec()),
                _ => take(types, &[&[Varchar], &[Varbinary]]),
            },
            as_first,
            reverse
        ),
        scalar!(
            FAMILY,
            "translate",
            [],
            "translate(string, from, to) → varchar",
            "The string with each character of `from` replaced by that of `to` at the same place, \
             or taken out where `to` is shorter.",
            [("translate('a.b-c', '.-', '__')", "a_b_c")],
            |types| take(types, &[&[Varchar, Varchar, Varchar]]),
            varchar,
            translate
        ),
    ]
}

fn concat_types(types: &[DataType]) -> Result<Vec<DataType>> {
    if types.len() < 2 {
        return plan_err!("it takes two values or more");
    }
    if types.iter().any(|data_type| matches!(data_type, DataType::List(_))) {
        return arrays::common_types(types);
    }
    let all = |kind: Kind| take(types, &[&vec![kind; types.len()]]);
    all(Varchar).or_else(|_| all(Varbinary))
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Returns`")]
fn concat_type(args: &ReturnFieldArgs<'_>) -> Result<DataType> {
    let types = args.arg_fields.iter().map(|field| field.data_type());
    let mut known = types.filter(|data_type| !data_type.is_null());
    match known.next() {
        None | Some(DataType::Utf8View) => Ok(DataType::Utf8),
        Some(other) => Ok(other.clone()),
    }
}

fn concat(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let indexes = 0..call.len();
    match args.return_field.data_type() {
        DataType::List(_) => arrays::concat(&call),
        DataType::Binary => {
            let parts = indexes.map(|index| call.bytes(index)).collect::<Result<Vec<_>>>()?;
            call.write_bytes(|row, out| {
                for part in &parts {
                    out.extend_from_slice(given!(part.get(row)));
                }
                Ok(Some(()))
            })
        }
        _ => {
            let parts = indexes.map(|index| call.texts(index)).collect::<Result<Vec<_>>>()?;
            call.write_text(|row, out| {
                for part in &parts {
                    out.push_str(given!(part.get(row)));
                }
                Ok(Some(()))
            })
        }
    }
}

fn concat_ws_types(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [separator, DataType::List(item)]
            if is_varchar(item.data_type()) || item.data_type().is_null() =>
        {
            let item = item.as_ref().clone().with_data_type(DataType::Utf8);
            let mut all = take(std::slice::from_ref(separator), &[&[Varchar]])?;
            all.push(DataType::List(item.into()));
            Ok(all)
        }
        [_, _, ..] => take(types, &[&vec![Varchar; types.len()]]),
        _ => does_not_take(types),
    }
}

fn concat_ws(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let separators = call.texts(0)?;
    let (second, one) = call.column(1)?;
    if let Some(lists) = second.as_list_opt::<i32>() {
        return call.write_text(|row, out| {
            let separator = given!(separators.get(row));
            let row = if one { 0 } else { row };
            if lists.is_null(row) {
                return Ok(None);
            }
            let elements: ArrayRef = lists.value(row);
            let texts = Text::of(&elements)?;
            let some = (0..elements.len()).filter_map(|index| texts.get(index));
            join(out, separator, some);
            Ok(Some(()))
        });
    }
    let parts = (1..call.len()).map(|index| call.texts(index)).collect::<Result<Vec<_>>>()?;
    call.write_text(|row, out| {
        let separator = given!(separators.get(row));
        join(out, separator, parts.iter().filter_map(|part| part.get(row)));
        Ok(Some(()))
    })
}

fn join<'a>(out: &mut String, separator: &str, parts: impl Iterator<Item = &'a str>) {
    for (index, part) in parts.enumerate() {
        if index > 0 {
            out.push_str(separator);
        }
        out.push_str(part);
    }
}

/// What one padded value may have at most, so that a slip does not take all memory.
const LONGEST: usize = 64 << 20;

fn pad(args: &ScalarFunctionArgs, left: bool) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let sizes = call.longs(1)?;
    let size = |row: usize| match sizes.get(row) {
        Some(size) if size < 0 || size > i64::from(i32::MAX) => {
            exec_err!("the size to pad to must be from 0 to {}, not {size}", i32::MAX)
        }
        size => Ok(size.and_then(|size| usize::try_from(size).ok())),
    };
    if let Ok(bytes) = call.bytes(0) {
        let pads = call.bytes(2)?;
        return call.write_bytes(|row, out| {
            let (value, size) = (given!(bytes.get(row)), given!(size(row)?));
            let pad = given!(pads.get(row));
            let missing = checked_padding(value.len(), size, pad.is_empty())?;
            let filling = pad.iter().cycle().take(missing);
            if left {
                out.extend(filling.clone());
            }
            out.extend(value.iter().take(size));
            if !left {
                out.extend(filling);
            }
            Ok(Some(()))
        });
    }
    let (texts, pads) = (call.texts(0)?, call.texts(2)?);
    call.write_text(|row, out| {
        let (text, size) = (given!(texts.get(row)), given!(size(row)?));
        let pad = given!(pads.get(row));
        let missing = checked_padding(characters(text), size, pad.is_empty())?;
        let filling = pad.chars().cycle().take(missing);
        if left {
            out.extend(filling.clone());
        }
        let end = byte_of(text, size).unwrap_or(text.len());
        out.push_str(text.get(..end).unwrap_or(text));
        if !left {
            out.extend(filling);
        }
        Ok(Some(()))
    })
}

/// How much is missing from `length` to `size`.
fn checked_padding(length: usize, size: usize, pad_is_empty: bool) -> Result<usize> {
    if pad_is_empty {
        return exec_err!("the string to pad with cannot be empty");
    }
    let missing = size.saturating_sub(length);
    if missing > LONGEST { too_large() } else { Ok(missing) }
}

fn chr(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let points = call.longs(0)?;
    call.write_text(|row, out| {
        let point = given!(points.get(row));
        match u32::try_from(point).ok().and_then(char::from_u32) {
            Some(character) => out.push(character),
            None => return exec_err!("{point} is no Unicode code point"),
        }
        Ok(Some(()))
    })
}

fn cases(
    args: &ScalarFunctionArgs,
    ascii: fn(&mut str),
    one: fn(char) -> char,
) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let texts = call.texts(0)?;
    call.write_text(|row, out| {
        let text = given!(texts.get(row));
        if text.is_ascii() {
            out.push_str(text);
            ascii(out);
        } else {
            out.extend(text.chars().map(one));
        }
        Ok(Some(()))
    })
}

/// The one character that `mapped` gives; `otherwise` where it gives several.
fn only(mut mapped: impl Iterator<Item = char>, otherwise: char) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one,
        _ => otherwise,
    }
}

fn lower(character: char) -> char {
    let otherwise = if character == 'İ' { 'i' } else { character };
    only(character.to_lowercase(), otherwise)
}

fn upper(character: char) -> char {
    // Letters with an iota below: one capital for one letter, which Unicode writes as two.
    let distance = match character {
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => 8,
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => 9,
        _ => 0,
    };
    let capital = char::from_u32(u32::from(character) + distance);
    only(character.to_uppercase(), capital.unwrap_or(character))
}

fn replace(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (texts, searches, replacements) = (call.texts(0)?, call.texts(1)?, call.optional_texts(2)?);
    call.write_text(|row, out| {
        let (text, search) = (given!(texts.get(row)), given!(searches.get(row)));
        let replacement = match &replacements {
            Some(replacements) => given!(replacements.get(row)),
            None => "",
        };
        let mut end = 0;
        // An empty search is found before every character and at the end.
        for (at, found) in text.match_indices(search) {
            out.push_str(text.get(end..at).unwrap_or_default());
            out.push_str(replacement);
            end = at + found.len();
            if out.len() > LONGEST.max(text.len()) {
                return exec_err!("replace makes more than 64 MiB of {}", quoted(text));
            }
        }
        out.push_str(text.get(end..).unwrap_or_default());
        Ok(Some(()))
    })
}

fn reverse(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    match args.return_field.data_type() {
        DataType::List(_) => arrays::reverse(&call),
        DataType::Binary => {
            let bytes = call.bytes(0)?;
            call.write_bytes(|row, out| {
                out.extend(given!(bytes.get(row)).iter().rev());
                Ok(Some(()))
            })
        }
        _ => {
            let texts = call.texts(0)?;
            call.write_text(|row, out| {
                out.extend(given!(texts.get(row)).chars().rev());
                Ok(Some(()))
            })
        }
    }
}

fn translate(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (texts, froms, tos) = (call.texts(0)?, call.texts(1)?, call.texts(2)?);
    call.write_text(|row, out| {
        let (text, from, to) =
            (given!(texts.get(row)), given!(froms.get(row)), given!(tos.get(row)));
        for character in text.chars() {
            match from.chars().position(|candidate| candidate == character) {
                None => out.push(character),
                Some(place) => out.extend(to.chars().nth(place)),
            }
        }
        Ok(Some(()))
    })
}
