//! The rows of all tables, and changes to them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::model::{AccountBind, Group, KeyBind, MethodTemplate, MsgTypeTemplate};
use super::token::StToken;
use super::{MsgEnum, StrategyError};

/// The id of a row.
pub type Id = u64;

/// Rows that a table may have. All are held in memory.
const MAX_ROWS: usize = 10_000;

/// A group as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRow {
    /// The id.
    pub id: Id,
    /// The name.
    pub name: String,
    /// Its key binds.
    pub binds: Vec<Id>,
}

/// What is kept of a token.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum StoredToken {
    /// The token, as Go stores it. Anybody who reads the database can use it.
    Clear(String),
    /// Its hash, and the part of it that may be shown.
    Hashed {
        /// SHA-256 of the token.
        hash: [u8; 32],
        /// The first characters of the token.
        shown: String,
    },
}

impl StoredToken {
    /// What is to be stored of a token.
    pub fn of(token: &StToken, clear: bool) -> Self {
        match clear {
            true => Self::Clear(token.expose()),
            false => Self::Hashed { hash: token.hash(), shown: token.shown() },
        }
    }

    /// The hash; `None` for a stored text that is no token.
    pub(super) fn hash(&self) -> Option<[u8; 32]> {
        match self {
            Self::Clear(text) => StToken::parse(text).map(|token| token.hash()),
            Self::Hashed { hash, .. } => Some(*hash),
        }
    }

    /// What a list shows of it.
    pub(super) fn shown(&self) -> &str {
        match self {
            Self::Clear(text) => text,
            Self::Hashed { shown, .. } => shown,
        }
    }
}

impl fmt::Debug for StoredToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Clear(_) => "Clear(…)",
            Self::Hashed { .. } => "Hashed(…)",
        })
    }
}

/// A token and its group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// The token.
    pub token: StoredToken,
    /// The group's id.
    pub group: Id,
}

/// Everything that a store holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    /// `typeTmp`.
    pub type_templates: BTreeMap<Id, MsgTypeTemplate>,
    /// `methodTmp`.
    pub method_templates: BTreeMap<Id, MethodTemplate>,
    /// `keyBind`.
    pub key_binds: BTreeMap<Id, KeyBind>,
    /// `group`.
    pub groups: BTreeMap<Id, GroupRow>,
    /// `groupAuth` and the hashes beside it, ordered by token.
    pub tokens: BTreeMap<StoredToken, Id>,
    /// Accounts of gateways with their groups.
    pub accounts: BTreeSet<(String, Id)>,
}

/// One step of an edit. Ids of new rows are given by the store; the `id` in an inserted row is ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// A new row of `typeTmp`.
    AddTypeTemplate(MsgTypeTemplate),
    /// Takes a row of `typeTmp` away.
    RemoveTypeTemplate(Id),
    /// A new row of `methodTmp`.
    AddMethodTemplate(MethodTemplate),
    /// Takes a row of `methodTmp` away.
    RemoveMethodTemplate(Id),
    /// A new row of `keyBind`.
    AddKeyBind(KeyBind),
    /// Other types and methods for a key bind.
    SetKeyBind {
        /// The row.
        id: Id,
        /// Its types from now on.
        meta_types: MsgEnum,
        /// Its methods from now on.
        methods: Vec<String>,
    },
    /// Takes a row of `keyBind` away.
    RemoveKeyBind(Id),
    /// A new row of `group`.
    AddGroup(GroupRow),
    /// Other key binds for a group.
    SetGroup {
        /// The row.
        id: Id,
        /// Its key binds from now on.
        binds: Vec<Id>,
    },
    /// Takes a row of `group` away.
    RemoveGroup(Id),
    /// A new token.
    AddToken(TokenRow),
    /// Takes a token away.
    RemoveToken(StoredToken),
    /// Lets an account stand for a group.
    AddAccount(String, Id),
    /// Ends that.
    RemoveAccount(String, Id),
}

impl Tables {
    /// Makes a change, as every store has to: names, tokens and binds are unique, and what is changed or removed must
    /// be there.
    ///
    /// # Errors
    /// [`StrategyError::Exists`], [`StrategyError::NotFound`], [`StrategyError::TooMany`]; nothing changed then.
    pub fn apply(&mut self, change: &Change, id: Id) -> Result<(), StrategyError> {
        match change {
            Change::AddTypeTemplate(row) => insert(
                &mut self.type_templates,
                id,
                MsgTypeTemplate { id, ..row.clone() },
                "templates",
                |r| &r.name,
            ),
            Change::AddMethodTemplate(row) => insert(
                &mut self.method_templates,
                id,
                MethodTemplate { id, ..row.clone() },
                "templates",
                |r| &r.name,
            ),
            Change::AddKeyBind(row) => {
                insert(&mut self.key_binds, id, KeyBind { id, ..row.clone() }, "keyBinds", |r| &r.name)
            }
            Change::AddGroup(row) => {
                insert(&mut self.groups, id, GroupRow { id, ..row.clone() }, "groups", |r| &r.name)
            }
            Change::SetKeyBind { id, meta_types, methods } => {
                let row = self.key_binds.get_mut(id).ok_or(StrategyError::NotFound)?;
                (row.meta_types, row.methods) = (*meta_types, methods.clone());
                Ok(())
            }
            Change::SetGroup { id, binds } => {
                self.groups.get_mut(id).ok_or(StrategyError::NotFound)?.binds.clone_from(binds);
                Ok(())
            }
            Change::AddToken(_) | Change::AddAccount(..) => self.add_credential(change),
            _ => self.remove(change),
        }
    }

    fn add_credential(&mut self, change: &Change) -> Result<(), StrategyError> {
        let rows = self.tokens.len().max(self.accounts.len());
        if rows >= MAX_ROWS {
            return Err(StrategyError::TooMany { what: "tokens or accounts", limit: MAX_ROWS });
        }
        let is_new = match change {
            Change::AddToken(row) if self.tokens.contains_key(&row.token) => false,
            Change::AddToken(row) => self.tokens.insert(row.token.clone(), row.group).is_none(),
            Change::AddAccount(account, group) => self.accounts.insert((account.clone(), *group)),
            _ => true,
        };
        if is_new { Ok(()) } else { Err(StrategyError::Exists) }
    }

    fn remove(&mut self, change: &Change) -> Result<(), StrategyError> {
        let was_there = match change {
            Change::RemoveTypeTemplate(id) => self.type_templates.remove(id).is_some(),
            Change::RemoveMethodTemplate(id) => self.method_templates.remove(id).is_some(),
            Change::RemoveKeyBind(id) => self.key_binds.remove(id).is_some(),
            Change::RemoveGroup(id) => self.groups.remove(id).is_some(),
            Change::RemoveToken(token) => self.tokens.remove(token).is_some(),
            Change::RemoveAccount(account, group) => self.accounts.remove(&(account.clone(), *group)),
            _ => true,
        };
        if was_there { Ok(()) } else { Err(StrategyError::NotFound) }
    }

    /// The group of a name.
    pub(super) fn group_named(&self, name: &str) -> Result<&GroupRow, StrategyError> {
        self.groups.values().find(|row| row.name == name).ok_or(StrategyError::NotFound)
    }

    /// The key bind of a name.
    pub(super) fn bind_named(&self, name: &str) -> Result<&KeyBind, StrategyError> {
        self.key_binds.values().find(|row| row.name == name).ok_or(StrategyError::NotFound)
    }

    /// A group with its key binds, as clients see it.
    pub(super) fn group_of(&self, row: &GroupRow) -> Group {
        let key_binds = row.binds.iter().filter_map(|id| self.key_binds.get(id)).cloned().collect();
        Group { id: row.id, name: row.name.clone(), key_binds }
    }

    /// The accounts with the names of their groups.
    pub(super) fn account_binds(&self) -> impl Iterator<Item = AccountBind> {
        self.accounts.iter().filter_map(|(account, group)| {
            let name = self.groups.get(group)?.name.clone();
            Some(AccountBind { account: account.clone(), group: *group, name })
        })
    }
}

fn insert<T>(
    table: &mut BTreeMap<Id, T>,
    id: Id,
    row: T,
    what: &'static str,
    name: impl Fn(&T) -> &String,
) -> Result<(), StrategyError> {
    if table.contains_key(&id) || table.values().any(|other| name(other) == name(&row)) {
        return Err(StrategyError::Exists);
    }
    if table.len() >= MAX_ROWS {
        return Err(StrategyError::TooMany { what, limit: MAX_ROWS });
    }
    table.insert(id, row);
    Ok(())
}
