//! Text that repeats within a batch, which a function then sees once.
//!
//! Nearly all columns of `CloudTrail` hold few different texts, and Parquet stores them so. The
//! reader gives views of one dictionary: rows with the same text have the same view. Each is worked
//! out once and the result taken for all its rows; what a function costs hardly matters then.

use arrow::{
    array::{Array, ArrayRef, AsArray, StringArray, StringViewArray, UInt32Array},
    compute::take,
    datatypes::DataType,
};
use datafusion::{
    error::Result,
    logical_expr::{ColumnarValue, ScalarFunctionArgs},
};

use super::nested::index;

/// Batches of fewer rows are not looked into.
const FEWEST: usize = 128;

/// After each so many rows it is looked whether enough of them are repeats.
const PROBE: usize = 256;

/// Whether of `n_rows` so many differ that it does not pay: more than half, but for those rows with
/// which every batch begins that has seen none of its texts yet.
fn is_hopeless(n_differing: usize, n_rows: usize) -> bool {
    n_differing * 2 > n_rows + PROBE
}

/// An argument's rows that differ, and which of these each row is like.
pub(super) struct Repeats {
    argument: usize,
    firsts: UInt32Array,
    of_rows: UInt32Array,
}

impl Repeats {
    /// The repeats of the only argument that is a column of text; nothing where there are more
    /// columns or few repeats.
    pub(super) fn of(args: &ScalarFunctionArgs) -> Option<Self> {
        let is_column = |arg: &ColumnarValue| matches!(arg, ColumnarValue::Array(_));
        let argument = args.args.iter().position(is_column)?;
        let ColumnarValue::Array(column) = args.args.get(argument)? else { return None };
        if args.args.iter().skip(argument + 1).any(is_column) {
            return None;
        }
        let (firsts, of_rows) = differing(column)?;
        Some(Self { argument, firsts, of_rows })
    }

    /// The function's arguments for the rows that differ.
    pub(super) fn differing(&self, args: &ScalarFunctionArgs) -> Result<ScalarFunctionArgs> {
        let mut fewer = args.clone();
        fewer.number_rows = self.firsts.len();
        if let Some(ColumnarValue::Array(column)) = fewer.args.get_mut(self.argument) {
            *column = take(column, &self.firsts, None)?;
        }
        Ok(fewer)
    }

    /// What the function gave for those, for all rows.
    pub(super) fn all(&self, made: ColumnarValue) -> Result<ColumnarValue> {
        Ok(match made {
            ColumnarValue::Array(made) => ColumnarValue::Array(take(&made, &self.of_rows, None)?),
            one @ ColumnarValue::Scalar(_) => one,
        })
    }
}

/// The first row of each text of `column`, and for each row which of these it is like; nothing where
/// there are few rows or few repeats.
pub(in crate::engine) fn differing(column: &ArrayRef) -> Option<(UInt32Array, UInt32Array)> {
    if column.len() < FEWEST {
        return None;
    }
    let (firsts, of_rows) = match column.data_type() {
        DataType::Utf8View => among_views(column.as_string_view()),
        DataType::Utf8 => among_texts(column.as_string()),
        _ => None,
    }?;
    Some((firsts.into(), of_rows.into()))
}

/// The first row of each text, and for each row which of these is its own.
///
/// Views are the same where their bits are: the text itself where it is short, else its place.
fn among_views(column: &StringViewArray) -> Option<(Vec<u32>, Vec<u32>)> {
    let mut pairs = vec![Pair::EMPTY; PAIRS];
    let nulls = column.nulls();
    let mut firsts: Vec<u32> = Vec::with_capacity(PROBE);
    let mut of_rows: Vec<u32> = Vec::with_capacity(column.len());
    for views in column.views().chunks(PROBE) {
        let from = of_rows.len();
        if is_hopeless(firsts.len(), from) {
            return None;
        }
        of_rows.extend(views.iter().zip(from..).map(|(view, row)| {
            let view = match nulls {
                Some(nulls) if nulls.is_null(row) => Pair::NULL,
                _ => *view,
            };
            let (low, high) = halves(view);
            let hash = (low ^ high.rotate_left(29)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48;
            let at = usize::try_from(hash).unwrap_or_default() % PAIRS;
            let Some(pair) = pairs.get_mut(at) else { return 0 };
            pair.place(view).unwrap_or_else(|| {
                let place = index(firsts.len());
                firsts.push(index(row));
                pair.put(view, place);
                place
            })
        }));
    }
    (firsts.len() * 2 <= column.len()).then_some((firsts, of_rows))
}

/// How many pairs of views are remembered, by their hash.
const PAIRS: usize = 2048;

/// Two views of one hash and their places in `firsts`: two frequent texts do not drive each other
/// out.
#[derive(Clone, Copy)]
struct Pair {
    views: [u128; 2],
    places: [u32; 2],
}

impl Pair {
    /// No text is as long as these views would say.
    const NONE: u128 = u128::MAX;
    const NULL: u128 = u128::MAX - 1;
    const EMPTY: Self = Self { views: [Self::NONE; 2], places: [0; 2] };

    fn place(&self, view: u128) -> Option<u32> {
        let [newer, older] = self.views.map(|known| known == view);
        let [of_newer, of_older] = self.places;
        // Which of the two it is cannot be foreseen; that it is one of them nearly always can.
        (newer | older).then(|| std::hint::select_unpredictable(newer, of_newer, of_older))
    }

    /// The older one makes room.
    fn put(&mut self, view: u128, place: u32) {
        let ([newer, _], [of_newer, _]) = (self.views, self.places);
        *self = Self { views: [view, newer], places: [place, of_newer] };
    }
}

/// A view's two halves.
#[expect(clippy::cast_possible_truncation, reason = "each is one half")]
fn halves(view: u128) -> (u64, u64) {
    (view as u64, (view >> 64) as u64)
}

/// Where texts are remembered by their hash; a later one takes an earlier one's place.
const SLOTS: usize = 2048;

/// The same for text that lies in one piece.
fn among_texts(column: &StringArray) -> Option<(Vec<u32>, Vec<u32>)> {
    // In a slot is the place in `firsts`, counted from 1.
    let mut slots = vec![0_u32; SLOTS];
    let rows = Texts(column);
    let nulls = column.nulls();
    let mut null = None;
    let mut firsts: Vec<u32> = Vec::with_capacity(PROBE);
    let mut of_rows = Vec::with_capacity(column.len());
    for row in 0..column.len() {
        if row % PROBE == 0 && is_hopeless(firsts.len(), row) {
            return None;
        }
        if nulls.is_some_and(|nulls| nulls.is_null(row)) {
            of_rows.push(*null.get_or_insert_with(|| {
                firsts.push(index(row));
                index(firsts.len() - 1)
            }));
            continue;
        }
        let hash = rows.hash(row).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let slot = usize::try_from(hash >> 53).ok().and_then(|slot| slots.get_mut(slot))?;
        let known = slot.checked_sub(1).filter(|known| {
            let first = usize::try_from(*known).ok().and_then(|known| firsts.get(known));
            first.is_some_and(|first| rows.same(row, *first as usize))
        });
        of_rows.push(if let Some(known) = known {
            known
        } else {
            firsts.push(index(row));
            *slot = index(firsts.len());
            *slot - 1
        });
    }
    (firsts.len() * 2 <= column.len()).then_some((firsts, of_rows))
}

struct Texts<'a>(&'a StringArray);

impl Texts<'_> {
    fn bytes(&self, row: usize) -> &[u8] {
        self.0.value(row).as_bytes()
    }

    fn hash(&self, row: usize) -> u64 {
        let text = self.bytes(row);
        let length = text.len() as u64;
        let Some((first, last)) = text.first_chunk::<8>().zip(text.last_chunk::<8>()) else {
            return text.iter().fold(length, |hash, byte| hash << 8 | u64::from(*byte));
        };
        // What lies between: where texts of one length differ in that alone, they are not told
        // apart here, but by `same`.
        let middle = text.get(text.len() / 2 - 4..).and_then(<[u8]>::first_chunk::<8>);
        let [first, last, middle] = [Some(first), Some(last), middle]
            .map(|some| some.map_or(0, |b| u64::from_le_bytes(*b)));
        (first ^ last.rotate_left(21) ^ middle.rotate_left(43)).wrapping_add(length)
    }

    fn same(&self, row: usize, other: usize) -> bool {
        self.bytes(row) == self.bytes(other)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::Field;
    use datafusion::{common::ScalarValue, config::ConfigOptions};
    use proptest::prelude::*;

    use super::*;

    fn args(column: ArrayRef) -> ScalarFunctionArgs {
        let field = Arc::new(Field::new("text", column.data_type().clone(), true));
        ScalarFunctionArgs {
            number_rows: column.len(),
            args: vec![
                ColumnarValue::Array(column),
                ColumnarValue::Scalar(ScalarValue::Utf8(Some(",".to_owned()))),
            ],
            arg_fields: vec![Arc::clone(&field), Arc::clone(&field)],
            return_field: field,
            config_options: Arc::new(ConfigOptions::default()),
        }
    }

    fn restored(column: &ArrayRef) -> Option<ArrayRef> {
        let args = args(Arc::clone(column));
        let repeats = Repeats::of(&args)?;
        let fewer = repeats.differing(&args).unwrap();
        assert!(fewer.number_rows * 2 <= column.len(), "{}", fewer.number_rows);
        let first = fewer.args.into_iter().next()?;
        repeats.all(first).unwrap().into_array(column.len()).ok()
    }

    proptest! {
        #[test]
        fn each_row_gets_what_its_own_text_gives(
            texts in prop::collection::vec(prop::option::of("[ab]{0,2}|[ab]{7,9}|x{30}[ab]{0,3}y{9}"), 1..40),
            picks in prop::collection::vec(any::<prop::sample::Index>(), 100..900),
        ) {
            let texts: Vec<Option<&str>> =
                picks.iter().map(|pick| pick.get(&texts).as_deref()).collect();
            let plain: ArrayRef = Arc::new(StringArray::from(texts.clone()));
            let views: ArrayRef = Arc::new(StringViewArray::from(texts));
            for column in [plain, views] {
                if let Some(restored) = restored(&column) {
                    prop_assert_eq!(&restored, &column);
                }
            }
        }
    }

    #[test]
    fn a_column_of_few_texts_is_seen_and_one_of_many_is_not() {
        let few: ArrayRef = Arc::new(StringArray::from_iter_values(
            (0..5000).map(|n| format!("arn:aws:iam::111122223333:user/{}", n % 40)),
        ));
        assert!(restored(&few).is_some());
        let many: ArrayRef =
            Arc::new(StringArray::from_iter_values((0..5000).map(|n| format!("{n}"))));
        assert!(restored(&many).is_none());
    }
}
