//! Text as views, which the Parquet reader hands out without copying.
//!
//! DataFusion asks for views of columns, but not of the members of structs, where most of what is
//! asked about `useridentity` stands. What the members are is told by the Arrow schema in the file's
//! footer; so the footer is handed on with one that says views.

use std::{
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use bytes::Bytes;
use datafusion::{
    datasource::{
        listing::PartitionedFile,
        physical_plan::{ParquetFileReaderFactory, parquet::CachedParquetFileReaderFactory},
    },
    error::Result,
    physical_plan::metrics::ExecutionPlanMetricsSet,
};
use futures::{FutureExt, future::BoxFuture};
use parquet::{
    arrow::{
        ARROW_SCHEMA_META_KEY, arrow_reader::ArrowReaderOptions, async_reader::AsyncFileReader,
        encode_arrow_schema, parquet_to_arrow_schema,
    },
    file::metadata::{FileMetaData, KeyValue, ParquetMetaData},
};

/// `schema` with text as views: columns, and the members of structs.
pub(super) fn with_views(schema: &Schema) -> SchemaRef {
    let fields: Fields = schema.fields().iter().map(|field| Arc::new(with_view(field))).collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata.clone()))
}

fn with_view(field: &Field) -> Field {
    let data_type = match field.data_type() {
        DataType::Utf8 => DataType::Utf8View,
        DataType::Struct(members) => {
            DataType::Struct(members.iter().map(|member| Arc::new(with_view(member))).collect())
        }
        other => other.clone(),
    };
    field.clone().with_data_type(data_type)
}

/// Makes readers whose files say that text is to be views.
#[derive(Debug)]
pub(super) struct ReadersOfViews(pub(super) CachedParquetFileReaderFactory);

impl ParquetFileReaderFactory for ReadersOfViews {
    fn create_reader(
        &self,
        partition: usize,
        file: PartitionedFile,
        hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        Ok(Box::new(Reader(self.0.create_reader(partition, file, hint, metrics)?)))
    }
}

struct Reader(Box<dyn AsyncFileReader + Send>);

impl AsyncFileReader for Reader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, parquet::errors::Result<Bytes>> {
        self.0.get_bytes(range)
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, parquet::errors::Result<Vec<Bytes>>> {
        self.0.get_byte_ranges(ranges)
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, parquet::errors::Result<Arc<ParquetMetaData>>> {
        let metadata = self.0.get_metadata(options);
        async move {
            let metadata = metadata.await?;
            // A footer without a schema is as good: members are cast where they are read.
            Ok(saying_views(&metadata).unwrap_or(metadata))
        }
        .boxed()
    }
}

/// The footer with an Arrow schema that says views; nothing where it has none.
fn saying_views(metadata: &ParquetMetaData) -> Option<Arc<ParquetMetaData>> {
    let file = metadata.file_metadata();
    let mut pairs = file.key_value_metadata()?.clone();
    let told = pairs.iter_mut().find(|pair| pair.key == ARROW_SCHEMA_META_KEY)?;
    told.value = Some(translated(told, file)?);
    let file = FileMetaData::new(
        file.version(),
        file.num_rows(),
        file.created_by().map(str::to_owned),
        Some(pairs),
        file.schema_descr_ptr(),
        file.column_orders().cloned(),
    );
    let mut builder = ParquetMetaData::new(file, metadata.row_groups().to_vec()).into_builder();
    builder = builder.set_column_index(metadata.column_index().cloned());
    builder = builder.set_offset_index(metadata.offset_index().cloned());
    Some(Arc::new(builder.build()))
}

/// The encoded schema `told` with views. All files of a table mostly have the same.
fn translated(told: &KeyValue, file: &FileMetaData) -> Option<String> {
    static LAST: Mutex<Option<(String, String)>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let text = told.value.as_ref()?;
    if let Some((from, to)) = last.as_ref()
        && from == text
    {
        return Some(to.clone());
    }
    let schema = parquet_to_arrow_schema(file.schema_descr(), file.key_value_metadata()).ok()?;
    let to = encode_arrow_schema(&with_views(&schema));
    *last = Some((text.clone(), to.clone()));
    Some(to)
}
