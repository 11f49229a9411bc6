//! CloudTrail: its records, the shapes they come wrapped in, and the keys they lie under in S3.
//!
//! The way of a file's bytes: [`envelope::Framer`] finds the records whatever they come wrapped
//! in, [`decode::Decoder`] turns each into a row, [`rebuild`] turns a row back into its record.

pub mod decode;
pub(crate) mod derive;
pub mod envelope;
pub(crate) mod fields;
pub mod key;
pub mod rebuild;
pub(crate) mod scan;
pub mod schema;
#[cfg(test)]
pub(crate) mod testing;
