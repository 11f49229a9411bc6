//! Rows that a scan has chosen, without what lies around them.
//!
//! Text is read as views of the pages it stands in, without copying. Where few rows of each page are
//! chosen, a batch of some hundred KB holds tens of MB of pages, which sorts and joins then keep and
//! count; and what a join gives keeps all of the side that it holds. Here such text is copied out.

use std::{fmt, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray as _, ListArray, RecordBatch, StructArray},
    buffer::Buffer,
    datatypes::{DataType, Schema},
};
use datafusion::{
    common::{
        config::ConfigOptions,
        internal_datafusion_err,
        tree_node::{Transformed, TreeNode as _, TreeNodeRecursion},
    },
    datasource::{
        physical_plan::{FileSource as _, ParquetSource},
        source::DataSourceExec,
    },
    error::Result,
    execution::{SendableRecordBatchStream, TaskContext},
    physical_expr::PhysicalExpr,
    physical_optimizer::PhysicalOptimizerRule,
    physical_plan::{
        ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties,
        ReplaceChildrenOptions, sorts::sort::SortExec, stream::RecordBatchStreamAdapter,
    },
};
use futures::StreamExt as _;

/// Pages of less than this are kept whatever is used of them.
const MIN_BYTES: usize = 1 << 10;

/// How many times what is used of them the pages may be.
const MAX_TIMES: usize = 2;

/// The rule: above each scan that chooses rows while it reads, and below each sort. It comes last,
/// since others look for scans below what they change.
#[derive(Debug)]
pub(super) struct Compaction;

impl PhysicalOptimizerRule for Compaction {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let compacted = plan.transform_up(|plan| {
            if is_sparse(&plan) {
                return Ok(Transformed::yes(Arc::new(Compact { input: plan }) as _));
            }
            let [input] = plan.children()[..] else { return Ok(Transformed::no(plan)) };
            let is_sort =
                plan.downcast_ref::<SortExec>().is_some_and(|sort| sort.fetch().is_none());
            let is_compact = input.downcast_ref::<Compact>().is_some();
            if !is_sort || is_compact || !has_views(&input.schema()) {
                return Ok(Transformed::no(plan));
            }
            let input = Arc::new(Compact { input: Arc::clone(input) });
            let same = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Keep);
            Ok(Transformed::yes(plan.replace_children(vec![input], same)?))
        })?;
        Ok(compacted.data)
    }

    fn name(&self) -> &'static str {
        "compaction"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Whether `plan` reads views of text of some rows only.
fn is_sparse(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let scan = plan.downcast_ref::<DataSourceExec>();
    let Some((_, source)) = scan.and_then(DataSourceExec::downcast_to_file_source) else {
        return false;
    };
    let source: &ParquetSource = source;
    source.filter().is_some()
        && source.table_parquet_options().global.pushdown_filters
        && has_views(&plan.schema())
}

fn has_views(schema: &Schema) -> bool {
    fn is_view(data_type: &DataType) -> bool {
        match data_type {
            DataType::Utf8View => true,
            DataType::List(element) => is_view(element.data_type()),
            DataType::Struct(members) => members.iter().any(|member| is_view(member.data_type())),
            _ => false,
        }
    }
    schema.fields().iter().any(|field| is_view(field.data_type()))
}

#[derive(Debug)]
struct Compact {
    input: Arc<dyn ExecutionPlan>,
}

impl DisplayAs for Compact {
    fn fmt_as(&self, kind: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match kind {
            DisplayFormatType::Default | DisplayFormatType::Verbose => f.write_str(self.name()),
            DisplayFormatType::TreeRender => Ok(()),
        }
    }
}

impl ExecutionPlan for Compact {
    fn name(&self) -> &'static str {
        "CompactExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.into_iter().next();
        let input = input.ok_or_else(|| internal_datafusion_err!("CompactExec has an input"))?;
        Ok(Arc::new(Self { input }))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(
            children,
            ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute),
        )
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let rows = self.input.execute(partition, context)?;
        let schema = rows.schema();
        let rows = rows.map(|batch| batch.and_then(|batch| compact(&batch)));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }
}

fn compact(batch: &RecordBatch) -> Result<RecordBatch> {
    let columns: Result<Vec<ArrayRef>> = batch.columns().iter().map(compacted).collect();
    // What was without columns has rows all the same.
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(batch.schema(), columns?, &options)?)
}

fn compacted(array: &ArrayRef) -> Result<ArrayRef> {
    Ok(match array.data_type() {
        DataType::Utf8View => {
            let views = array.as_string_view();
            let held: usize = views.data_buffers().iter().map(Buffer::capacity).sum();
            if held < MIN_BYTES || held <= views.total_buffer_bytes_used() * MAX_TIMES {
                return Ok(Arc::clone(array));
            }
            Arc::new(views.gc())
        }
        DataType::List(element) => {
            let lists = array.as_list::<i32>();
            let values = compacted(lists.values())?;
            let (offsets, nulls) = (lists.offsets().clone(), lists.nulls().cloned());
            Arc::new(ListArray::try_new(Arc::clone(element), offsets, values, nulls)?)
        }
        DataType::Struct(members) => {
            let rows = array.as_struct();
            let columns: Result<Vec<ArrayRef>> = rows.columns().iter().map(compacted).collect();
            let nulls = rows.nulls().cloned();
            Arc::new(StructArray::try_new_with_length(
                members.clone(),
                columns?,
                nulls,
                rows.len(),
            )?)
        }
        _ => Arc::clone(array),
    })
}

#[cfg(test)]
mod tests {
    use arrow::{
        array::{BooleanArray, StringViewArray},
        buffer::OffsetBuffer,
        compute::filter_record_batch,
        datatypes::Field,
    };

    use super::*;

    fn held(array: &ArrayRef) -> usize {
        array.get_array_memory_size()
    }

    #[test]
    fn chosen_rows_are_kept_and_what_lies_around_them_is_not() {
        let text = |n: u32| if n.is_multiple_of(5) { n.to_string() } else { format!("{n:050}") };
        let texts: StringViewArray = (0..10_000).map(|n| (n % 7 != 0).then(|| text(n))).collect();
        let texts: ArrayRef = Arc::new(texts);
        let element = Arc::new(Field::new("element", DataType::Utf8View, true));
        let lists: ArrayRef = Arc::new(ListArray::new(
            element,
            OffsetBuffer::from_lengths(vec![2; 5_000].into_iter().chain(vec![0; 5_000])),
            Arc::clone(&texts),
            None,
        ));
        let members = vec![Field::new("a", DataType::Utf8View, true)].into();
        let rows: ArrayRef = Arc::new(StructArray::new(members, vec![Arc::clone(&texts)], None));
        let batch = RecordBatch::try_from_iter([("t", texts), ("l", lists), ("s", rows)]).unwrap();
        let chosen: BooleanArray = (0..10_000).map(|n| Some(n % 100 == 1)).collect();
        let sparse = filter_record_batch(&batch, &chosen).unwrap();

        let compact = compact(&sparse).unwrap();
        assert_eq!(compact, sparse);
        for (before, after) in sparse.columns().iter().zip(compact.columns()) {
            assert!(held(after) * 10 < held(before), "{} of {}", held(after), held(before));
        }
        // What is used whole is not copied.
        let same = super::compact(&batch).unwrap();
        let buffers = |batch: &RecordBatch| {
            batch.column(0).as_string_view().data_buffers().first().unwrap().as_ptr()
        };
        assert_eq!(buffers(&same), buffers(&batch));
    }

    #[test]
    fn rows_without_columns_are_counted() {
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(3));
        let none = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options);
        assert_eq!(compact(&none.unwrap()).unwrap().num_rows(), 3);
    }
}
