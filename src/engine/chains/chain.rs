//! A tree of calls over one column, as an expression.

use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::{Arc, Mutex, PoisonError},
};

use arrow::{
    array::{
        Array, ArrayRef, AsArray, DictionaryArray, Int32Array, RecordBatch, RecordBatchOptions,
        new_null_array,
    },
    compute::{cast, concat, take},
    datatypes::{Field, FieldRef, Int32Type, Schema, SchemaRef},
};
use datafusion::{
    common::tree_node::{Transformed, TreeNode},
    error::Result,
    logical_expr::ColumnarValue,
    physical_expr::{PhysicalExpr, expressions::Column},
};

use crate::engine::functions::repeats;

/// Dictionaries of which is remembered what the calls give: those that are being read side by side.
const REMEMBERED: usize = 64;

/// A dictionary of more texts than so many for each row of a batch is not evaluated whole.
const MAX_TEXTS_A_ROW: usize = 16;

/// A tree of calls over one column.
#[derive(Debug)]
pub(super) struct Chain {
    column: Arc<dyn PhysicalExpr>,
    /// The tree over a batch of that column alone.
    body: Arc<dyn PhysicalExpr>,
    schema: SchemaRef,
    /// What the tree gives for the texts of dictionaries, and last for NULL; nothing where it fails
    /// for one of them, which may be that of no row.
    made: Mutex<Vec<(ArrayRef, Option<ColumnarValue>)>>,
}

impl Eq for Chain {}

impl Chain {
    /// `expr`, which reads `column` of `input` and no other.
    pub(super) fn new(
        expr: &Arc<dyn PhysicalExpr>,
        column: Column,
        input: &SchemaRef,
    ) -> Result<Self> {
        let field = input.field(column.index()).clone().with_name("text");
        let body = Arc::clone(expr).transform(|part| {
            Ok(if part.downcast_ref::<Column>().is_some() {
                Transformed::yes(Arc::new(Column::new("text", 0)) as _)
            } else {
                Transformed::no(part)
            })
        })?;
        let schema = Arc::new(Schema::new(vec![Field::clone(&field)]));
        Ok(Self { column: Arc::new(column), body: body.data, schema, made: Mutex::default() })
    }

    /// The column that it reads.
    pub(super) fn column(&self) -> &Arc<dyn PhysicalExpr> {
        &self.column
    }

    /// What the tree gives for each of `texts`.
    fn of_texts(&self, texts: ArrayRef) -> Result<ColumnarValue> {
        let options = RecordBatchOptions::new().with_row_count(Some(texts.len()));
        let schema = Arc::clone(&self.schema);
        let batch = RecordBatch::try_new_with_options(schema, vec![texts], &options)?;
        self.body.evaluate(&batch)
    }

    fn of_dictionary(&self, rows: &DictionaryArray<Int32Type>) -> Result<ColumnarValue> {
        let texts = rows.values();
        let is_small = texts.len() <= rows.len().saturating_mul(MAX_TEXTS_A_ROW);
        let made = if is_small { self.made(texts)? } else { None };
        let Some(made) = made else {
            let view = self.schema.field(0).data_type();
            return self.of_texts(cast(&take(texts, rows.keys(), None)?, view)?);
        };
        let ColumnarValue::Array(made) = made else { return Ok(made) };
        let keys = rows.keys();
        if keys.null_count() == 0 {
            return Ok(ColumnarValue::Array(take(&made, keys, None)?));
        }
        let null = i32::try_from(texts.len()).unwrap_or(i32::MAX);
        let of_rows: Int32Array = keys.iter().map(|key| Some(key.unwrap_or(null))).collect();
        Ok(ColumnarValue::Array(take(&made, &of_rows, None)?))
    }

    /// What the tree gives for `texts`, remembered.
    fn made(&self, texts: &ArrayRef) -> Result<Option<ColumnarValue>> {
        let remembered = || self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, made)) = remembered().iter().find(|(known, _)| same(known, texts)) {
            return Ok(made.clone());
        }
        let view = self.schema.field(0).data_type();
        let with_null = concat(&[texts, &new_null_array(texts.data_type(), 1)])?;
        let made = self.of_texts(cast(&with_null, view)?).ok();
        let mut remembered = remembered();
        if remembered.len() >= REMEMBERED {
            remembered.remove(0);
        }
        remembered.push((Arc::clone(texts), made.clone()));
        Ok(made)
    }
}

impl PartialEq for Chain {
    fn eq(&self, other: &Self) -> bool {
        self.column.eq(&other.column) && self.body.eq(&other.body)
    }
}

impl Hash for Chain {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.column.hash(state);
        self.body.hash(state);
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of each {}", self.body, self.column)
    }
}

impl PhysicalExpr for Chain {
    fn return_field(&self, _: &Schema) -> Result<FieldRef> {
        self.body.return_field(&self.schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let text = self.column.evaluate(batch)?.into_array(batch.num_rows())?;
        if let Some(dictionary) = text.as_dictionary_opt::<Int32Type>() {
            return self.of_dictionary(dictionary);
        }
        let found = repeats::differing(&text);
        let few = match &found {
            Some((firsts, _)) => take(&text, firsts, None)?,
            None => text,
        };
        match (self.of_texts(few)?, found) {
            (ColumnarValue::Array(made), Some((_, of_rows))) => {
                Ok(ColumnarValue::Array(take(&made, &of_rows, None)?))
            }
            (made, _) => Ok(made),
        }
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.column]
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        Ok(match children.pop() {
            Some(column) => Arc::new(Self {
                column,
                body: Arc::clone(&self.body),
                schema: Arc::clone(&self.schema),
                made: Mutex::default(),
            }),
            None => self,
        })
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether two arrays of text are one: all batches of a dictionary have the same bytes. One that is
/// remembered is held, so that no other can lie where it lies.
fn same(known: &ArrayRef, texts: &ArrayRef) -> bool {
    let parts = |array: &ArrayRef| {
        let texts = array.as_string_opt::<i32>()?;
        Some((texts.len(), texts.value_offsets().as_ptr(), texts.value_data().as_ptr()))
    };
    parts(known).is_some_and(|known| parts(texts) == Some(known))
}
