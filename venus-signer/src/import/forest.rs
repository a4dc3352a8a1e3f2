//! `keystore.json`, the file that a Forest node without a keystore password keeps its keys in.

use std::collections::HashSet;
use std::fmt;

use crate::error::KeyError;
use crate::key::KeyInfo;
use crate::key_text::{field, read_key};
use crate::secret_json::Node;

/// Longest file that is read, bytes: some 5000 keys.
const MAX_FILE: usize = 1 << 20;
/// What the names of keys begin with; an address follows.
const PREFIX: &str = "wallet-";

/// The keys of a Forest node.
#[derive(Default)]
pub struct ForestKeystore {
    /// The keys, in the order of the file, each once.
    pub keys: Vec<KeyInfo>,
    /// Entries that are no key of a wallet (the node's identity, the secret of its tokens), or none that can be read:
    /// how many, and why the first could not.
    pub skipped: (usize, Option<KeyError>),
}

impl ForestKeystore {
    /// The only key.
    pub(super) fn single(self) -> Result<KeyInfo, KeyError> {
        let mut keys = self.keys.into_iter();
        match (keys.next(), keys.next(), self.skipped.1) {
            (Some(key), None, None) => Ok(key),
            (_, _, Some(error)) => Err(error),
            (None, _, None) => Err(KeyError::Malformed("the key file holds no key of a wallet")),
            (Some(_), Some(_), None) => {
                Err(KeyError::Malformed("the key file holds several keys: import it as a keystore"))
            }
        }
    }
}

impl fmt::Debug for ForestKeystore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { keys, skipped } = self;
        f.debug_struct("ForestKeystore").field("keys", &keys.len()).field("skipped", skipped).finish()
    }
}

/// Reads a Forest node's `keystore.json`: an object whose members `wallet-<address>` and `default` are keys
/// `{"key_type":"bls","private_key":"<base64>"}`. The encrypted form, which is no JSON, must be decrypted by Forest.
///
/// # Errors
/// [`KeyError::Malformed`] when the text is no such file. A single unreadable key is skipped and counted.
pub fn forest_keystore(text: &str) -> Result<ForestKeystore, KeyError> {
    if text.len() > MAX_FILE {
        return Err(KeyError::Malformed("longer than any key file"));
    }
    let Some(Node::Object(members)) = Node::parse(text) else {
        return Err(KeyError::Malformed("expected a JSON object of named keys"));
    };
    let mut store = ForestKeystore::default();
    let mut seen = HashSet::new();
    for (name, node) in &members {
        // `default` repeats one of the others.
        if !name.starts_with(PREFIX) && name.as_str() != "default" {
            store.skipped.0 += 1;
            continue;
        }
        match entry(node).and_then(|key| Ok((key.address()?, key))) {
            Ok((address, key)) if seen.insert(address) => store.keys.push(key),
            Ok(_) => {}
            Err(error) => {
                store.skipped.0 += 1;
                store.skipped.1.get_or_insert(error);
            }
        }
    }
    Ok(store)
}

fn entry(node: &Node) -> Result<KeyInfo, KeyError> {
    match node {
        Node::Object(_) => read_key(node, "key_type", "private_key"),
        _ => field("wallet", "is no object"),
    }
}
