//! `count(DISTINCT text)` of many groups.
//!
//! DataFusion makes a set of its own for each group, which takes 12 KB before it holds anything
//! (55.2). Here all groups share one table of the texts and one set of (group, text).

use std::{hash::BuildHasher as _, mem, sync::Arc};

use arrow::{
    array::{
        Array, ArrayRef, AsArray, BooleanArray, Int64Array, ListArray, StringViewArray,
        StringViewBuilder,
    },
    buffer::OffsetBuffer,
    compute::cast,
    datatypes::{DataType, Field, FieldRef},
};
use datafusion::{
    common::{ScalarValue, internal_datafusion_err, tree_node::Transformed},
    error::Result,
    functions_aggregate::count::Count,
    logical_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, Expr, ExprSchemable as _,
        GroupsAccumulator, LogicalPlan, ReversedUDAF, Signature,
        function::{AccumulatorArgs, StateFieldsArgs},
    },
    optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule},
};
use foldhash::quality::RandomState;
use hashbrown::{HashSet, HashTable};

/// Puts the function of this module in the place of DataFusion's. It comes last: rules before it know
/// `count` as theirs.
#[derive(Debug)]
pub(in crate::engine) struct DistinctTexts;

impl OptimizerRule for DistinctTexts {
    fn name(&self) -> &'static str {
        "distinct_texts"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Aggregate(mut aggregate) = plan else { return Ok(Transformed::no(plan)) };
        let mut changes = false;
        for expr in &mut aggregate.aggr_expr {
            let call = match expr {
                Expr::Alias(alias) => alias.expr.as_mut(),
                other => other,
            };
            let Expr::AggregateFunction(call) = call else { continue };
            let [arg] = call.params.args.as_slice() else { continue };
            if call.params.distinct
                && call.func.inner().downcast_ref::<Count>().is_some()
                && is_text(&arg.get_type(aggregate.input.schema())?)
            {
                let count = CountTexts { native: Arc::clone(&call.func) };
                call.func = Arc::new(AggregateUDF::new_from_impl(count));
                changes = true;
            }
        }
        Ok(Transformed::new_transformed(LogicalPlan::Aggregate(aggregate), changes))
    }
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// `count(DISTINCT x)`: DataFusion's, but over groups.
#[derive(Debug, PartialEq, Eq, Hash)]
struct CountTexts {
    native: Arc<AggregateUDF>,
}

impl AggregateUDFImpl for CountTexts {
    fn name(&self) -> &'static str {
        "count"
    }

    fn signature(&self) -> &Signature {
        self.native.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.native.return_type(types)
    }

    fn is_nullable(&self) -> bool {
        false
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.native.state_fields(args)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        self.native.accumulator(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        matches!(args.expr_fields, [field] if args.is_distinct && is_text(field.data_type()))
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        let [field] = args.expr_fields else {
            return Err(internal_datafusion_err!("count(DISTINCT) of one text was meant"));
        };
        Ok(Box::new(TextsOfGroups::new(field.data_type().clone())))
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        self.native.default_value(data_type)
    }
}

/// The different texts of each group.
struct TextsOfGroups {
    data_type: DataType,
    texts: Texts,
    /// The group, and the number of the text.
    seen: HashSet<(usize, u32), RandomState>,
    counts: Vec<i64>,
}

/// Different texts, numbered as they come.
#[derive(Default)]
struct Texts {
    hasher: RandomState,
    numbers: HashTable<u32>,
    /// Where the text of each number ends, and its hash.
    ends: Vec<(usize, u64)>,
    all: String,
}

impl Texts {
    /// The number of `text`; nothing where there are more than can be numbered.
    fn number(&mut self, text: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(text);
        let (ends, all) = (&self.ends, &self.all);
        let is_same =
            |number: &u32| hash_of(ends, *number) == hash && text_of(ends, all, *number) == text;
        if let Some(number) = self.numbers.find(hash, is_same) {
            return Some(*number);
        }
        let number = u32::try_from(self.ends.len()).ok()?;
        self.all.push_str(text);
        self.ends.push((self.all.len(), hash));
        let ends = &self.ends;
        self.numbers.insert_unique(hash, number, |number| hash_of(ends, *number));
        Some(number)
    }

    fn get(&self, number: u32) -> &str {
        text_of(&self.ends, &self.all, number)
    }

    fn size(&self) -> usize {
        self.numbers.allocation_size()
            + self.ends.capacity() * size_of::<(usize, u64)>()
            + self.all.capacity()
    }
}

fn hash_of(ends: &[(usize, u64)], number: u32) -> u64 {
    ends.get(number as usize).map_or(0, |(_, hash)| *hash)
}

fn text_of<'t>(ends: &[(usize, u64)], all: &'t str, number: u32) -> &'t str {
    let end = |number: usize| ends.get(number).map_or(0, |(end, _)| *end);
    let number = number as usize;
    let start = number.checked_sub(1).map_or(0, end);
    all.get(start..end(number)).unwrap_or_default()
}

impl TextsOfGroups {
    fn new(data_type: DataType) -> Self {
        Self { data_type, texts: Texts::default(), seen: HashSet::default(), counts: Vec::new() }
    }

    fn add(&mut self, group: usize, text: &str) -> Result<()> {
        let number = self.texts.number(text).ok_or_else(|| {
            internal_datafusion_err!("there are more than 4294967295 different texts")
        })?;
        if self.seen.insert((group, number))
            && let Some(count) = self.counts.get_mut(group)
        {
            *count += 1;
        }
        Ok(())
    }

    /// Forgets the first `n` groups; the others move up. Gives what the first had, by group.
    fn forget(&mut self, emit_to: EmitTo) -> (Vec<i64>, Vec<(usize, u32)>) {
        let counts = emit_to.take_needed(&mut self.counts);
        let seen = mem::take(&mut self.seen);
        let n = counts.len();
        let (mut first, rest): (Vec<_>, Vec<_>) =
            seen.into_iter().partition(|(group, _)| *group < n);
        first.sort_unstable();
        self.seen = rest.into_iter().map(|(group, number)| (group - n, number)).collect();
        (counts, first)
    }
}

fn views(array: &ArrayRef) -> Result<StringViewArray> {
    let array = cast(array, &DataType::Utf8View)?;
    Ok(array.as_string_view().clone())
}

fn only(values: &[ArrayRef]) -> Result<&ArrayRef> {
    values.first().ok_or_else(|| internal_datafusion_err!("count(DISTINCT) takes one argument"))
}

fn chooses(filter: Option<&BooleanArray>, row: usize) -> bool {
    filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}

impl GroupsAccumulator for TextsOfGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        n_groups: usize,
    ) -> Result<()> {
        self.counts.resize(n_groups, 0);
        let texts = views(only(values)?)?;
        for (row, group) in groups.iter().enumerate() {
            if texts.is_valid(row) && chooses(filter, row) {
                self.add(*group, texts.value(row))?;
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let (counts, _) = self.forget(emit_to);
        if self.counts.is_empty() {
            self.texts = Texts::default();
        }
        Ok(Arc::new(Int64Array::from(counts)))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let (counts, seen) = self.forget(emit_to);
        let mut texts = StringViewBuilder::with_capacity(seen.len());
        for (_, number) in &seen {
            texts.append_value(self.texts.get(*number));
        }
        if self.counts.is_empty() {
            self.texts = Texts::default();
        }
        let lengths = counts.iter().map(|count| usize::try_from(*count).unwrap_or(0));
        let values = cast(&texts.finish(), &self.data_type)?;
        Ok(vec![lists(OffsetBuffer::from_lengths(lengths), values)?])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        n_groups: usize,
    ) -> Result<()> {
        self.counts.resize(n_groups, 0);
        let lists = only(values)?.as_list::<i32>();
        let texts = views(lists.values())?;
        let place = |at: usize| {
            lists.offsets().get(at).map_or(0, |offset| usize::try_from(*offset).unwrap_or(0))
        };
        for (row, group) in groups.iter().enumerate() {
            for at in (place(row)..place(row + 1)).filter(|at| texts.is_valid(*at)) {
                self.add(*group, texts.value(at))?;
            }
        }
        Ok(())
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let values = only(values)?;
        let has = |row: &usize| values.is_valid(*row) && chooses(filter, *row);
        let lengths = (0..values.len()).map(|row| usize::from(has(&row)));
        let chosen: BooleanArray = (0..values.len()).map(|row| Some(has(&row))).collect();
        let texts = arrow::compute::filter(values, &chosen)?;
        Ok(vec![lists(OffsetBuffer::from_lengths(lengths), texts)?])
    }

    fn size(&self) -> usize {
        self.texts.size() + self.seen.allocation_size() + self.counts.capacity() * size_of::<i64>()
    }
}

fn lists(offsets: OffsetBuffer<i32>, values: ArrayRef) -> Result<ArrayRef> {
    let field = Field::new_list_field(values.data_type().clone(), true);
    Ok(Arc::new(ListArray::try_new(Arc::new(field), offsets, values, None)?))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    type Rows = Vec<(usize, Option<String>, Option<bool>)>;

    fn arrays(rows: &Rows, data_type: &DataType) -> (Vec<ArrayRef>, Vec<usize>, BooleanArray) {
        let texts: StringViewArray = rows.iter().map(|(_, text, _)| text.as_deref()).collect();
        let groups = rows.iter().map(|(group, ..)| *group).collect();
        let filter = rows.iter().map(|(.., chosen)| *chosen).collect();
        (vec![cast(&texts, data_type).unwrap()], groups, filter)
    }

    fn counted(array: &ArrayRef) -> Vec<i64> {
        array.as_any().downcast_ref::<Int64Array>().unwrap().values().to_vec()
    }

    proptest! {
        #[test]
        fn the_counts_are_those_of_sets(
            batches in prop::collection::vec(
                prop::collection::vec(
                    (0..5_usize, prop::option::of("[ab]{0,2}|[ab]{20}"), prop::option::weighted(0.9, any::<bool>())),
                    0..30,
                ),
                0..6,
            ),
            kind in 0..3_usize,
            n_first in 0..5_usize,
        ) {
            let data_type = [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View][kind].clone();
            let mut sets = BTreeMap::<usize, BTreeSet<&str>>::new();
            for (group, text, chosen) in batches.iter().flatten() {
                if let (Some(text), Some(true)) = (text, chosen) {
                    sets.entry(*group).or_default().insert(text);
                }
            }
            let expected: Vec<i64> =
                (0..5).map(|group| sets.get(&group).map_or(0, |set| i64::try_from(set.len()).unwrap())).collect();

            // Rows, states of rows, and states of groups: all of them in one.
            let mut whole = TextsOfGroups::new(data_type.clone());
            for (n, rows) in batches.iter().enumerate() {
                let (values, groups, filter) = arrays(rows, &data_type);
                match n % 3 {
                    0 => whole.update_batch(&values, &groups, Some(&filter), 5).unwrap(),
                    1 => {
                        let state = whole.convert_to_state(&values, Some(&filter)).unwrap();
                        whole.merge_batch(&state, &groups, 5).unwrap();
                    }
                    _ => {
                        let mut part = TextsOfGroups::new(data_type.clone());
                        part.update_batch(&values, &groups, Some(&filter), 5).unwrap();
                        let first = part.state(EmitTo::First(n_first)).unwrap();
                        let rest = part.state(EmitTo::All).unwrap();
                        whole.merge_batch(&first, &(0..n_first).collect::<Vec<_>>(), 5).unwrap();
                        whole.merge_batch(&rest, &(n_first..5).collect::<Vec<_>>(), 5).unwrap();
                    }
                }
            }
            whole.counts.resize(5, 0);
            let mut counts = counted(&whole.evaluate(EmitTo::First(n_first)).unwrap());
            counts.extend(counted(&whole.evaluate(EmitTo::All).unwrap()));
            prop_assert_eq!(counts, expected);
            prop_assert!(whole.seen.is_empty());
        }
    }
}
