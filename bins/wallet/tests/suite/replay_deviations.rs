//! Every answer that differs on purpose, with the reason: the numbers are those of the deviations in the facts.

use crate::replay::Deviation;

/// The deviation of a case, if it has one.
pub fn deviation(n: u64) -> Option<(Deviation, &'static str)> {
    use Deviation::{Error, Gone, Records, Signed};
    Some(match n {
        54 | 55 | 56 | 139 | 159 | 179 | 199 | 216 | 233 => {
            let text = "missing permission to invoke 'LockState'  (need 'admin')";
            (Error(text), "Go panics: LockState without the permission for it")
        }
        7 | 121 | 130 | 131 | 141 | 143 | 145 | 146 => {
            (Error("missing permission to invoke"), "deviation 8: no token, no permission")
        }
        101..=104 | 467..=470 | 472 => (Error("PrivateKey"), "Go panics: a key that is none"),
        108 => (Error("PrivateKey: missing"), "Go panics: a key that is none"),
        107 => (Error("PrivateKey is out of range for bls"), "deviation 7: BLS keys are not reduced"),
        471 => (Error("PrivateKey has 33 bytes"), "deviation 7: BLS keys are not reduced"),
        464 | 465 => (Error("record not found"), "deviation 7: BLS keys are not reduced"),
        275 | 276 | 328 | 374 | 375 | 378 | 379 => {
            (Error("bytes to sign differ from those of the message"), "deviation 1: toSign is that of Extra")
        }
        376 | 377 => (Error("Ethereum transaction"), "deviation 1: toSign is that of Extra"),
        292 | 339 | 395 => (Signed, "deviation 9: a deal's label may be bytes"),
        310 | 349 | 413 => (Error("get sign bytes: parseObj failed:"), "Go panics: an answer without an ask"),
        317 | 353 | 420 => {
            let text = "sign data not match, actual [45 113 22 66 183 38 176 68 1 98 124 169 251 172 50 245 200 83 \
                        15 177 144 60 196 219 2 37 135 23 146 26 72 129], expected the challenge of a gateway session";
            (Error(text), "deviation 11: random bytes are told to nobody")
        }
        435..=440 | 443..=447 => {
            (Records, "deviation 5: records have signatures, and refusals are recorded too")
        }
        466 => (Gone, "deviation 8: pprof is off"),
        _ => return None,
    })
}

/// A key that Go reduced and took, and that is not in our lists (deviation 7).
pub const REDUCED: &str =
    "\"f3s3vgahfir56tjckhseu3ewewbngb343rstjqqa3cpqymgqssm6navwq2kg6huqagutyfmqcq2mlummbndgyq\",";
