//! Where strategies are kept.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::tables::{Change, Id, Tables};
use super::{StoredToken, StrategyError};

/// A store of strategies. It has one writer, the [`Strategy`](super::Strategy) over it, which holds all rows in memory.
///
/// # Contract
/// * [`StrategyStore::apply`] makes all changes or none, durably. A taken name and a missing row it refuses as
///   [`Tables::apply`] does; how many rows there may be is the writer's business.
/// * Ids ascend within a table. None is given again while anything points to it.
/// * After an error other than [`StrategyError::Store`] nothing has changed. After that one the writer loads again.
#[async_trait]
pub trait StrategyStore: fmt::Debug + Send + Sync {
    /// All rows.
    ///
    /// # Errors
    /// [`StrategyError::Store`].
    async fn load(&self) -> Result<Tables, StrategyError>;

    /// Makes changes together. Returns an id for each: that of the new row, or 0 where there is none.
    ///
    /// # Errors
    /// [`StrategyError::Exists`] for a name that is taken, [`StrategyError::NotFound`] for a row that is not there,
    /// [`StrategyError::Store`].
    async fn apply(&self, changes: &[Change]) -> Result<Vec<Id>, StrategyError>;

    /// Replaces all tokens that are stored as they are by their hashes, and returns how many. A Go wallet does not know
    /// them afterwards.
    ///
    /// # Errors
    /// [`StrategyError::Store`].
    async fn hash_tokens(&self) -> Result<usize, StrategyError> {
        let tables = self.load().await?;
        let changes = hashed(&tables);
        self.apply(&changes).await?;
        Ok(changes.iter().filter(|change| matches!(change, Change::RemoveToken(_))).count())
    }
}

/// The changes that hash all clear tokens: for each, one that removes it and one that adds its hash.
fn hashed(tables: &Tables) -> Vec<Change> {
    let clear = tables.tokens.iter().filter_map(|(token, group)| match token {
        StoredToken::Clear(text) => Some((token, super::StToken::parse(text)?, *group)),
        StoredToken::Hashed { .. } => None,
    });
    clear
        .flat_map(|(old, token, group)| {
            let hashed = StoredToken::of(&token, false);
            let add = (!tables.tokens.contains_key(&hashed))
                .then_some(Change::AddToken(super::TokenRow { token: hashed, group }));
            [Change::RemoveToken(old.clone())].into_iter().chain(add)
        })
        .collect()
}

/// A [`StrategyStore`] that ends with the process.
#[derive(Debug, Default)]
pub struct MemoryStrategyStore(Mutex<Rows>);

#[derive(Clone, Debug, Default)]
struct Rows {
    tables: Tables,
    type_template: Id,
    method_template: Id,
    key_bind: Id,
    group: Id,
}

impl Rows {
    fn next(&mut self, change: &Change) -> Id {
        let last = match change {
            Change::AddTypeTemplate(_) => &mut self.type_template,
            Change::AddMethodTemplate(_) => &mut self.method_template,
            Change::AddKeyBind(_) => &mut self.key_bind,
            Change::AddGroup(_) => &mut self.group,
            _ => return 0,
        };
        *last += 1;
        *last
    }
}

impl MemoryStrategyStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl StrategyStore for MemoryStrategyStore {
    async fn load(&self) -> Result<Tables, StrategyError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).tables.clone())
    }

    async fn apply(&self, changes: &[Change]) -> Result<Vec<Id>, StrategyError> {
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = rows.clone();
        let mut ids = Vec::with_capacity(changes.len());
        for change in changes {
            let id = next.next(change);
            next.tables.apply(change, id)?;
            ids.push(id);
        }
        *rows = next;
        Ok(ids)
    }
}
