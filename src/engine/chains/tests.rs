use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, DictionaryArray, Int32Array, RecordBatch, StringArray, StringViewArray,
    },
    datatypes::{DataType, Field, Int32Type, Schema},
};
use datafusion::{
    common::ScalarValue,
    logical_expr::Operator,
    physical_expr::{
        PhysicalExpr,
        expressions::{BinaryExpr, CastExpr, Column, Literal},
    },
};
use proptest::prelude::*;

use super::Chain;

/// `CAST(text AS bigint) + 1`, which fails for what is no number.
fn chain() -> Chain {
    let schema = Arc::new(Schema::new(vec![Field::new("code", DataType::Utf8View, true)]));
    let column = Column::new("code", 0);
    let number = Arc::new(CastExpr::new(Arc::new(column.clone()), DataType::Int64, None));
    let one = Arc::new(Literal::new(ScalarValue::Int64(Some(1))));
    let sum: Arc<dyn PhysicalExpr> = Arc::new(BinaryExpr::new(number, Operator::Plus, one));
    Chain::new(&sum, column, &schema).unwrap()
}

fn answer(chain: &Chain, column: ArrayRef) -> Option<ArrayRef> {
    let n_rows = column.len();
    let field = Field::new("code", column.data_type().clone(), true);
    let batch = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![column]).unwrap();
    chain.evaluate(&batch).ok().map(|made| made.into_array(n_rows).unwrap())
}

proptest! {
    /// Whatever the dictionaries hold that no row has, and however many follow one another.
    #[test]
    fn rows_of_dictionaries_get_what_their_texts_give(
        batches in prop::collection::vec(
            (
                prop::collection::vec("[0-9]{1,3}|x", 1..40),
                prop::collection::vec(prop::option::weighted(0.8, any::<prop::sample::Index>()), 1..60),
            ),
            1..6,
        ),
    ) {
        let (of_dictionaries, of_texts) = (chain(), chain());
        for (texts, rows) in &batches {
            let keys: Int32Array =
                rows.iter().map(|row| row.map(|row| i32::try_from(row.index(texts.len())).unwrap())).collect();
            let plain: StringViewArray =
                rows.iter().map(|row| row.as_ref().map(|row| row.get(texts).as_str())).collect();
            let values: ArrayRef = Arc::new(StringArray::from_iter_values(texts));
            let coded = DictionaryArray::<Int32Type>::new(keys, values);
            // Batches of one dictionary follow one another.
            for coded in [coded.clone(), coded] {
                prop_assert_eq!(
                    answer(&of_dictionaries, Arc::new(coded)),
                    answer(&of_texts, Arc::new(plain.clone()))
                );
            }
        }
    }
}
