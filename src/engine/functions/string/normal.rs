//! Unicode's normal forms: texts that look alike made the same.
//!
//! <https://trino.io/docs/current/functions/string.html#unicode-functions>

use std::borrow::Cow;

use datafusion::{
    common::exec_err,
    error::Result,
    logical_expr::{ColumnarValue, ScalarFunctionArgs},
};
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

use super::{
    super::{
        Function,
        call::{Call, Kind::Varchar, given, quoted, scalar, take, varchar},
    },
    FAMILY,
};

pub(super) fn functions() -> Vec<Function> {
    vec![scalar!(
        FAMILY,
        "normalize",
        [],
        "normalize(string[, form]) → varchar",
        "The string in one of Unicode's normal forms: NFC, which it is without one, NFD, NFKC or \
         NFKD.",
        [
            ("length(normalize('e' || chr(769)))", "1"),
            ("length(normalize(chr(233), NFD))", "2"),
            ("normalize('ﬁle', NFKC)", "file"),
        ],
        |types| take(types, &[&[Varchar], &[Varchar, Varchar]]),
        varchar,
        normalize
    )]
}

fn normalize(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (texts, forms) = (call.texts(0)?, call.optional_texts(1)?);
    call.write_text(|row, out| {
        let text = given!(texts.get(row));
        let form = match &forms {
            Some(forms) => given!(forms.get(row)),
            None => "NFC",
        };
        out.push_str(&normal(text, form)?);
        Ok(Some(()))
    })
}

fn normal<'a>(text: &'a str, form: &str) -> Result<Cow<'a, str>> {
    Ok(match form.to_ascii_uppercase().as_str() {
        "NFC" => ComposingNormalizerBorrowed::new_nfc().normalize(text),
        "NFKC" => ComposingNormalizerBorrowed::new_nfkc().normalize(text),
        "NFD" => DecomposingNormalizerBorrowed::new_nfd().normalize(text),
        "NFKD" => DecomposingNormalizerBorrowed::new_nfkd().normalize(text),
        _ => return exec_err!("{} is not a normal form: NFC, NFD, NFKC or NFKD", quoted(form)),
    })
}
