//! The rights of all tokens and accounts, compiled so that a check takes no more than a few look-ups.

use std::collections::{BTreeSet, HashMap, HashSet};

use subtle::ConstantTimeEq;
use venus_core::types::{Address, MsgType};

use super::tables::{Id, Tables};
use super::token::StToken;
use super::{MsgEnum, StrategyError};

/// What one group lets one key sign: whatever any of its key binds allows.
#[derive(Clone, Debug, Default)]
pub(super) struct Rights {
    types: MsgEnum,
    /// Methods of those key binds that allow chain messages: others do not lend theirs.
    methods: HashSet<String>,
}

impl Rights {
    fn add(&mut self, types: MsgEnum, methods: &[String]) {
        self.types = self.types.union(types);
        if types.contains(MsgType::ChainMessage) {
            self.methods.extend(methods.iter().cloned());
        }
    }

    fn merge(&mut self, other: &Self) {
        self.types = self.types.union(other.types);
        self.methods.extend(other.methods.iter().cloned());
    }

    /// Refuses what is not allowed. `names` are what a chain message may mean, if methods count.
    pub(super) fn allow(&self, msg_type: MsgType, names: Option<&[&str]>) -> Result<(), StrategyError> {
        if !self.types.contains(msg_type) {
            return Err(StrategyError::NotAllowed(format!("msgType {msg_type}")));
        }
        match names.into_iter().flatten().find(|name| !self.methods.contains(**name)) {
            Some(name) => Err(StrategyError::NotAllowed(format!("method {name}"))),
            None => Ok(()),
        }
    }
}

type Keys = HashMap<Address, Rights>;

/// The rights of all tokens and accounts.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Hashes and groups by the first bytes of the hash, so that no comparison of a whole hash may end early.
    tokens: HashMap<[u8; 8], Vec<([u8; 32], Id)>>,
    groups: HashMap<Id, Keys>,
    accounts: HashMap<String, Keys>,
}

impl Index {
    pub(super) fn compile(tables: &Tables) -> Self {
        let mut index = Self::default();
        for group in tables.groups.values() {
            let mut keys = Keys::new();
            for bind in group.binds.iter().filter_map(|id| tables.key_binds.get(id)) {
                if let Some(key) = bind.key() {
                    keys.entry(key).or_default().add(bind.meta_types, &bind.methods);
                }
            }
            index.groups.insert(group.id, keys);
        }
        for (token, group) in &tables.tokens {
            if let Some(hash) = token.hash().filter(|_| index.groups.contains_key(group)) {
                index.tokens.entry(prefix(&hash)).or_default().push((hash, *group));
            }
        }
        for (account, group) in &tables.accounts {
            let Some(of_group) = index.groups.get(group) else { continue };
            let keys = index.accounts.entry(account.clone()).or_default();
            for (key, rights) in of_group {
                keys.entry(*key).or_default().merge(rights);
            }
        }
        index
    }

    /// The group that a token stands for.
    pub(super) fn group_of(&self, token: &StToken) -> Option<Id> {
        let hash = token.hash();
        let alike = self.tokens.get(&prefix(&hash))?;
        alike.iter().find(|(known, _)| known.ct_eq(&hash).into()).map(|(_, group)| *group)
    }

    /// The rights of a token on a key.
    pub(super) fn by_token(&self, token: &StToken, key: &Address) -> Option<&Rights> {
        self.groups.get(&self.group_of(token)?)?.get(key)
    }

    /// The rights of an account on a key.
    pub(super) fn by_account(&self, account: &str, key: &Address) -> Option<&Rights> {
        self.accounts.get(account)?.get(key)
    }

    /// The keys of a token, sorted; `None` for no token of ours.
    pub(super) fn keys_of_token(&self, token: &StToken) -> Option<BTreeSet<Address>> {
        Some(self.groups.get(&self.group_of(token)?)?.keys().copied().collect())
    }

    /// The keys of an account, sorted.
    pub(super) fn keys_of_account(&self, account: &str) -> BTreeSet<Address> {
        self.accounts.get(account).into_iter().flat_map(HashMap::keys).copied().collect()
    }
}

fn prefix(hash: &[u8; 32]) -> [u8; 8] {
    let mut prefix = [0; 8];
    prefix.iter_mut().zip(hash).for_each(|(to, from)| *to = *from);
    prefix
}
