//! A Parquet file with every value exact.

use std::{io, io::Write, sync::Arc};

use ::parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::properties::WriterProperties,
};
use arrow::{
    array::RecordBatch,
    datatypes::{Field, Schema, SchemaRef},
};

use super::{RowWriter, unique_names};
use crate::{Error, ErrorKind, Result};

/// The most rows in a row group.
const MAX_GROUP_ROWS: usize = 128 << 10;

/// The most bytes encoded for a row group before it is written, so that memory stays bounded
/// whatever the rows hold.
const MAX_GROUP_BYTES: usize = 64 << 20;

/// Writes [`super::Format::Parquet`].
pub(super) struct ParquetWriter<'a> {
    schema: SchemaRef,
    writer: ArrowWriter<Box<dyn Write + Send + 'a>>,
    rows: u64,
}

impl<'a> ParquetWriter<'a> {
    pub(super) fn new(schema: &Schema, sink: Box<dyn Write + Send + 'a>) -> Result<Self> {
        let rename = |(field, name): (&Arc<Field>, String)| Field::clone(field).with_name(name);
        let fields: Vec<Field> =
            schema.fields().iter().zip(unique_names(schema)).map(rename).collect();
        let schema = Arc::new(Schema::new(fields));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(MAX_GROUP_ROWS))
            .set_created_by(concat!("trailhound ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let writer =
            ArrowWriter::try_new(sink, Arc::clone(&schema), Some(properties)).map_err(explain)?;
        Ok(Self { schema, writer, rows: 0 })
    }
}

impl RowWriter for ParquetWriter<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let renamed = RecordBatch::try_new(Arc::clone(&self.schema), batch.columns().to_vec())
            .map_err(|source| columnar(source.into()))?;
        self.writer.write(&renamed).map_err(explain)?;
        self.rows += batch.num_rows() as u64;
        if self.writer.in_progress_size() > MAX_GROUP_BYTES {
            self.writer.flush().map_err(explain)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<u64> {
        self.writer.finish().map_err(explain)?;
        self.writer.inner_mut().flush().map_err(ErrorKind::Output)?;
        Ok(self.rows)
    }
}

/// A fault of the sink is the sink's: a closed pipe must be told from a fault of the encoder.
fn explain(error: ParquetError) -> Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(error) => ErrorKind::Output(*error).into(),
            Err(source) => columnar(source),
        },
        error => columnar(error.into()),
    }
}

fn columnar(source: crate::error::BoxError) -> Error {
    ErrorKind::Columnar { action: "encode the answer as Parquet", source }.into()
}
