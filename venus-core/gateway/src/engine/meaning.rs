//! What the texts of providers mean.
//!
//! Answers carry nothing but a text: Go's wallets and sealers wrap theirs freely, so they are matched anywhere.

/// What a provider's error means for the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// It does not have the key, or the sector, or does not serve the account: another may.
    Missing,
    /// It is locked, or has no password yet: another may be open.
    Locked,
    /// It has too much to do, or says that it may work later: another may have less.
    Busy,
    /// It may not do this.
    Denied,
    /// The bytes to sign differ from those of the payload.
    Mismatch,
    /// It does not sign this kind.
    Unsupported,
    /// The request is wrong.
    Invalid,
    /// Nobody knows.
    Other,
}

const TEXTS: [(&str, Meaning); 33] = [
    ("wallet locked", Meaning::Locked),
    ("wallet is locked", Meaning::Locked),
    ("password not set", Meaning::Locked),
    ("missing permission", Meaning::Denied),
    ("denied by policy", Meaning::Denied),
    ("permission deny", Meaning::Denied),
    ("overloaded", Meaning::Busy),
    ("too many requests", Meaning::Busy),
    ("try again", Meaning::Busy),
    ("is limited", Meaning::Busy),
    ("shutting down", Meaning::Busy),
    ("key store:", Meaning::Busy),
    ("unsupported method", Meaning::Missing),
    ("sign data not match", Meaning::Mismatch),
    ("bytes to sign differ", Meaning::Mismatch),
    ("unsupported msgtype", Meaning::Unsupported),
    ("cannot sign", Meaning::Unsupported),
    ("parseobj failed", Meaning::Invalid),
    ("payload is no", Meaning::Invalid),
    ("is not msg sender", Meaning::Invalid),
    ("unmarshal", Meaning::Invalid),
    ("must provide sectors", Meaning::Invalid),
    ("no sectors to prove", Meaning::Invalid),
    ("record not found", Meaning::Missing),
    ("key info not found", Meaning::Missing),
    ("key not found", Meaning::Missing),
    ("no key for", Meaning::Missing),
    ("supports none of the accounts", Meaning::Missing),
    ("sector not found", Meaning::Missing),
    ("sectors not found", Meaning::Missing),
    ("no such sector", Meaning::Missing),
    ("no such piece", Meaning::Missing),
    ("not found", Meaning::Missing),
];

impl Meaning {
    /// What `text` means: the first of the known parts that stands in it.
    pub(crate) fn of(text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        TEXTS.iter().find(|(part, _)| text.contains(part)).map_or(Self::Other, |(_, meaning)| *meaning)
    }

    /// Whether another provider may do what this one could not. Refusals stay refusals: whoever asks around until
    /// somebody signs has no policy.
    pub(crate) fn is_mended_elsewhere(self) -> bool {
        matches!(self, Self::Missing | Self::Locked | Self::Busy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_go_and_ours_are_told_apart() {
        for (text, meaning) in [
            ("wallet locked", Meaning::Locked),
            ("password not set", Meaning::Locked),
            ("signing using key 'f1x': key info not found", Meaning::Missing),
            ("record not found", Meaning::Missing),
            ("no key for f1abc", Meaning::Missing),
            ("the wallet supports none of the accounts of the request", Meaning::Missing),
            ("Overloaded: every worker is busy; try again", Meaning::Busy),
            ("denied by policy: rule 3: not found in the list", Meaning::Denied),
            ("get sign bytes: unsupported msgtype:nonsense", Meaning::Unsupported),
            ("get sign bytes: parseObj failed:sign data not match, actual [1]", Meaning::Mismatch),
            ("get sign bytes: parseObj failed:msg type must contain extra data", Meaning::Invalid),
            ("signer(f1a) is not msg sender(f1b)", Meaning::Invalid),
            ("must provide sectors for winning post", Meaning::Invalid),
            ("provider says no", Meaning::Other),
            ("", Meaning::Other),
        ] {
            assert_eq!(Meaning::of(text), meaning, "{text}");
        }
    }

    #[test]
    fn refusals_are_not_taken_elsewhere() {
        for (meaning, elsewhere) in [
            (Meaning::Missing, true),
            (Meaning::Locked, true),
            (Meaning::Busy, true),
            (Meaning::Denied, false),
            (Meaning::Mismatch, false),
            (Meaning::Unsupported, false),
            (Meaning::Invalid, false),
            (Meaning::Other, false),
        ] {
            assert_eq!(meaning.is_mended_elsewhere(), elsewhere, "{meaning:?}");
        }
    }
}
