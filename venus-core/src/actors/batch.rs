//! What methods over many items return.

use crate::cbor::cbor_tuple;

/// Which items of a batch failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchReturn {
    /// How many succeeded.
    pub success_count: u32,
    /// Those that did not, by index.
    pub fail_codes: Vec<FailCode>,
}

cbor_tuple!(BatchReturn { success_count: "SuccessCount", fail_codes: "FailCodes" });

impl BatchReturn {
    /// The exit code of an item; 0 if it succeeded.
    pub fn code(&self, index: u32) -> u32 {
        self.fail_codes.iter().find(|fail| fail.index == index).map_or(0, |fail| fail.code)
    }

    /// How many items there were.
    pub fn len(&self) -> u64 {
        u64::from(self.success_count) + self.fail_codes.len() as u64
    }

    /// Whether there was no item.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// An item that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailCode {
    /// Which.
    pub index: u32,
    /// The exit code.
    pub code: u32,
}

cbor_tuple!(FailCode { index: "Idx", code: "Code" });
