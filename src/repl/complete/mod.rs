//! What Tab offers. First [`context()`] tells what kind of name fits at the cursor, from the text
//! alone; then [`Words`] fills in the names, and values that the cache holds.

mod context;
mod names;
mod words;

#[cfg(test)]
pub(super) use self::names::Saved;
pub(super) use self::{
    context::{Context, context},
    names::Names,
    words::{Offer, Words},
};

#[cfg(test)]
mod tests;
