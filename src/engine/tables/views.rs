//! How text is read: as views, which the Parquet reader hands out without copying, or as the
//! dictionaries in which it is stored.
//!
//! DataFusion asks for views of columns, but not of the members of structs, where most of what is
//! asked about `useridentity` stands; and it never asks for dictionaries. What columns and members
//! are is told by the Arrow schema in the file's footer; so the footer is handed on with another one.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Arc, LazyLock, Mutex, PoisonError, Weak},
};

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use bytes::Bytes;
use datafusion::{
    datasource::{listing::PartitionedFile, physical_plan::ParquetFileReaderFactory},
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
    translated(schema, &[])
}

/// The same, with the text of the columns that are `named` as dictionaries.
pub(super) fn translated(schema: &Schema, named: &[String]) -> SchemaRef {
    let translate = |field: &Arc<Field>| {
        let is_text = matches!(field.data_type(), DataType::Utf8 | DataType::Utf8View);
        if is_text && named.contains(field.name()) {
            return Arc::new(field.as_ref().clone().with_data_type(dictionary()));
        }
        Arc::new(with_view(field))
    };
    let fields: Fields = schema.fields().iter().map(translate).collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata.clone()))
}

/// The type of text as a dictionary.
pub(super) fn dictionary() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

fn with_view(field: &Field) -> Field {
    let data_type = match field.data_type() {
        DataType::Utf8 => DataType::Utf8View,
        DataType::Struct(members) => {
            DataType::Struct(members.iter().map(|member| Arc::new(with_view(member))).collect())
        }
        DataType::List(element) => DataType::List(Arc::new(with_view(element))),
        other => other.clone(),
    };
    field.clone().with_data_type(data_type)
}

/// Makes readers whose files say that text is to be views, and that of some columns dictionaries.
#[derive(Debug)]
pub(super) struct Readers {
    files: Arc<dyn ParquetFileReaderFactory>,
    dictionaries: Arc<[String]>,
}

impl Readers {
    /// Readers of views, of the files that `files` reads.
    pub(super) fn of_views(files: Arc<dyn ParquetFileReaderFactory>) -> Self {
        Self { files, dictionaries: Arc::default() }
    }

    /// Readers of these files that give the `named` columns as dictionaries.
    pub(super) fn of_dictionaries(
        files: Arc<dyn ParquetFileReaderFactory>,
        named: Arc<[String]>,
    ) -> Self {
        Self { files, dictionaries: named }
    }
}

impl ParquetFileReaderFactory for Readers {
    fn create_reader(
        &self,
        partition: usize,
        file: PartitionedFile,
        hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        Ok(Box::new(Reader {
            file: self.files.create_reader(partition, file, hint, metrics)?,
            dictionaries: Arc::clone(&self.dictionaries),
        }))
    }
}

struct Reader {
    file: Box<dyn AsyncFileReader + Send>,
    dictionaries: Arc<[String]>,
}

impl AsyncFileReader for Reader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, parquet::errors::Result<Bytes>> {
        self.file.get_bytes(range)
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, parquet::errors::Result<Vec<Bytes>>> {
        self.file.get_byte_ranges(ranges)
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, parquet::errors::Result<Arc<ParquetMetaData>>> {
        let dictionaries = Arc::clone(&self.dictionaries);
        let metadata = self.file.get_metadata(options);
        async move { Ok(told_otherwise(metadata.await?, &dictionaries)) }.boxed()
    }
}

/// The footers of the last files, as they are and as they are handed on: to make one anew costs as
/// much as reading a column of few texts.
static FOOTERS: LazyLock<Mutex<HashMap<Place, Footer>>> = LazyLock::new(Mutex::default);

/// Where a footer lies, and which columns are to be dictionaries.
type Place = (usize, Arc<[String]>);

/// Footers kept at most.
const MAX_FOOTERS: usize = 256;

struct Footer {
    /// The file's own, as long as others keep it.
    from: Weak<ParquetMetaData>,
    to: Arc<ParquetMetaData>,
}

/// The footer with an Arrow schema that says what is wanted. One without a schema is as good: text
/// is cast where it is read.
fn told_otherwise(
    metadata: Arc<ParquetMetaData>,
    dictionaries: &Arc<[String]>,
) -> Arc<ParquetMetaData> {
    let kept = || FOOTERS.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (Arc::as_ptr(&metadata) as usize, Arc::clone(dictionaries));
    // Its place is not given to another footer as long as it is kept here.
    if let Some(footer) = kept().get(&key) {
        return Arc::clone(&footer.to);
    }
    let Some(to) = translated_footer(&metadata, dictionaries) else { return metadata };
    let mut kept = kept();
    if kept.len() >= MAX_FOOTERS {
        kept.retain(|_, footer| footer.from.strong_count() > 0);
    }
    if kept.len() < MAX_FOOTERS {
        let footer = Footer { from: Arc::downgrade(&metadata), to: Arc::clone(&to) };
        kept.insert(key, footer);
    }
    to
}

fn translated_footer(
    metadata: &ParquetMetaData,
    dictionaries: &[String],
) -> Option<Arc<ParquetMetaData>> {
    let file = metadata.file_metadata();
    let mut pairs = file.key_value_metadata()?.clone();
    let told = pairs.iter_mut().find(|pair| pair.key == ARROW_SCHEMA_META_KEY)?;
    told.value = Some(translated_text(told, file, dictionaries)?);
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

/// The encoded schema `told` with what is wanted. All files of a table mostly have the same.
fn translated_text(
    told: &KeyValue,
    file: &FileMetaData,
    dictionaries: &[String],
) -> Option<String> {
    static LAST: Mutex<Option<(String, Vec<String>, String)>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let text = told.value.as_ref()?;
    if let Some((from, named, to)) = last.as_ref()
        && from == text
        && named == dictionaries
    {
        return Some(to.clone());
    }
    let schema = parquet_to_arrow_schema(file.schema_descr(), file.key_value_metadata()).ok()?;
    let to = encode_arrow_schema(&translated(&schema, dictionaries));
    *last = Some((text.clone(), dictionaries.to_vec(), to.clone()));
    Some(to)
}
