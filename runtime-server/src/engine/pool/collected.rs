//! Answers on their way out of a VM that runs calls one by one.

use crate::engine::Answered;
use crate::split;

/// Answers of calls that follow each other, of a VM that runs some together.
#[derive(Default)]
pub(super) struct Collected {
    pub(super) first: u64,
    pub(super) count: usize,
    /// With tabs between them.
    values: String,
}

impl Collected {
    /// Adds the answer of the call behind the last; whether it is that.
    pub(super) fn push(&mut self, id: u64, value: &str) -> bool {
        match self.count {
            0 => self.first = id,
            count if self.first + count as u64 == id => self.values.push('\t'),
            _ => return false,
        }
        self.values.push_str(value);
        self.count += 1;
        true
    }

    /// What there is, when there is something.
    pub(super) fn take(&mut self) -> Option<Self> {
        (self.count > 0).then(|| std::mem::take(self))
    }

    pub(super) fn answers(&self) -> impl Iterator<Item = Answered<'_>> {
        split::at(&self.values, b'\t').map(|value| Ok((!value.is_empty()).then_some(value)))
    }
}
