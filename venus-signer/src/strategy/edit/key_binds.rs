//! Key binds.

use venus_core::types::{Address, address};

use super::{Result, check_name, find, page, some_methods};
use crate::strategy::engine::Strategy;
use crate::strategy::error::StrategyError;
use crate::strategy::methods;
use crate::strategy::model::KeyBind;
use crate::strategy::msg_enum::MsgEnum;
use crate::strategy::tables::{Change, Id, Tables};

/// Most key binds of one address that are returned, as in Go.
const MAX_OF_ADDRESS: usize = 100;

/// Key binds. Changes take effect for all groups that have them.
impl Strategy {
    /// Lets a key sign these types, and of chain messages these methods. Without methods it signs no chain message at
    /// [`Level::Methods`](crate::strategy::Level::Methods).
    ///
    /// # Errors
    /// As [`MsgEnum::from_codes`]; [`StrategyError::IllegalMethods`], [`StrategyError::KeyBind`] for a name that is taken
    /// or cannot be given, [`StrategyError::Store`].
    pub async fn new_key_bind(
        &self,
        name: &str,
        key: &Address,
        codes: &[i64],
        methods: &[String],
    ) -> Result<()> {
        let meta_types = MsgEnum::from_codes(codes)?;
        let methods = methods::checked(methods)?;
        let row = KeyBind { id: 0, name: name.into(), address: self.text(key), meta_types, methods };
        self.0.edit(|tables| add_bind(tables, row)).await
    }

    /// Lets a key sign what templates say. An empty name of the second one stands for no methods.
    ///
    /// # Errors
    /// [`StrategyError::TypeTemplate`] and [`StrategyError::MethodTemplate`] for templates that are not there; and as
    /// [`Strategy::new_key_bind`].
    pub async fn new_key_bind_from_templates(
        &self,
        name: &str,
        key: &Address,
        type_template: &str,
        method_template: &str,
    ) -> Result<()> {
        let address = self.text(key);
        self.0
            .edit(|tables| {
                let types = find(tables.type_templates.values(), |row| row.name == type_template)
                    .map_err(|e| StrategyError::TypeTemplate(Box::new(e)))?;
                let methods = match method_template {
                    "" => Vec::new(),
                    named => {
                        find(tables.method_templates.values(), |row| row.name == named)
                            .map_err(|e| StrategyError::MethodTemplate(Box::new(e)))?
                            .methods
                    }
                };
                let meta_types = types.meta_types;
                add_bind(tables, KeyBind { id: 0, name: name.into(), address, meta_types, methods })
            })
            .await
    }

    /// A key bind by name.
    ///
    /// # Errors
    /// [`StrategyError::NotFound`].
    pub fn key_bind(&self, name: &str) -> Result<KeyBind> {
        self.0.seen().bind_named(name).cloned()
    }

    /// The key binds of a key, at most 100, ordered by id.
    pub fn key_binds_of(&self, key: &Address) -> Vec<KeyBind> {
        let tables = self.0.seen();
        let of_key = tables.key_binds.values().filter(|row| row.key().as_ref() == Some(key));
        of_key.take(MAX_OF_ADDRESS).cloned().collect()
    }

    /// At most `limit` key binds, without the first `skip`, ordered by id.
    ///
    /// # Errors
    /// As [`Strategy::type_templates`].
    pub fn key_binds(&self, skip: i64, limit: i64) -> Result<Vec<KeyBind>> {
        page(self.0.seen().key_binds.values().cloned(), skip, limit)
    }

    /// Removes a key bind, also from the groups that have it.
    ///
    /// # Errors
    /// [`StrategyError::NotFound`], [`StrategyError::Store`].
    pub async fn remove_key_bind(&self, name: &str) -> Result<()> {
        self.0
            .edit(|tables| {
                let id = tables.bind_named(name)?.id;
                Ok((without_binds(tables, &[id]), ()))
            })
            .await
    }

    /// Removes all key binds of a key, also from the groups that have them; returns how many.
    ///
    /// # Errors
    /// [`StrategyError::Store`].
    pub async fn remove_key_binds_of(&self, key: &Address) -> Result<usize> {
        self.0
            .edit(|tables| {
                let of_key = tables.key_binds.values().filter(|row| row.key().as_ref() == Some(key));
                let ids: Vec<Id> = of_key.map(|row| row.id).collect();
                Ok((without_binds(tables, &ids), ids.len()))
            })
            .await
    }

    /// Lets a key bind sign more types. Returns it as it is then.
    ///
    /// # Errors
    /// As [`MsgEnum::from_codes`]; [`StrategyError::NotFound`], [`StrategyError::Store`].
    pub async fn add_types(&self, name: &str, codes: &[i64]) -> Result<KeyBind> {
        let types = MsgEnum::from_codes(codes)?;
        self.set(name, |row| row.meta_types = row.meta_types.union(types)).await
    }

    /// Lets a key bind sign fewer types. Returns it as it is then.
    ///
    /// # Errors
    /// As [`Strategy::add_types`].
    pub async fn remove_types(&self, name: &str, codes: &[i64]) -> Result<KeyBind> {
        let types = MsgEnum::from_codes(codes)?;
        self.set(name, |row| row.meta_types = row.meta_types.without(types)).await
    }

    /// Lets a key bind sign more methods. Returns it as it is then.
    ///
    /// # Errors
    /// [`StrategyError::NilReference`] without methods, [`StrategyError::IllegalMethods`], [`StrategyError::NotFound`],
    /// [`StrategyError::Store`].
    pub async fn add_methods(&self, name: &str, methods: &[String]) -> Result<KeyBind> {
        let methods = some_methods(methods)?;
        self.set(name, |row| {
            row.methods.extend(methods);
            row.methods = methods::distinct(&row.methods);
        })
        .await
    }

    /// Lets a key bind sign fewer methods. Returns it as it is then.
    ///
    /// # Errors
    /// As [`Strategy::add_methods`].
    pub async fn remove_methods(&self, name: &str, methods: &[String]) -> Result<KeyBind> {
        let methods = some_methods(methods)?;
        self.set(name, |row| row.methods.retain(|method| !methods.contains(method))).await
    }

    async fn set(&self, name: &str, change: impl FnOnce(&mut KeyBind) + Send) -> Result<KeyBind> {
        self.0
            .edit(|tables| {
                let old = tables.bind_named(name)?;
                let mut row = old.clone();
                change(&mut row);
                let methods = row.methods.clone();
                let step = Change::SetKeyBind { id: row.id, meta_types: row.meta_types, methods };
                Ok((if row == *old { Vec::new() } else { vec![step] }, row))
            })
            .await
    }

    fn text(&self, key: &Address) -> String {
        address::format(key, self.options().network)
    }
}

fn add_bind(tables: &Tables, row: KeyBind) -> Result<(Vec<Change>, ())> {
    let store = |e| StrategyError::KeyBind(Box::new(e));
    check_name("keyBind name", &row.name).map_err(store)?;
    match tables.bind_named(&row.name) {
        Ok(_) => Err(store(StrategyError::Exists)),
        Err(_) => Ok((vec![Change::AddKeyBind(row)], ())),
    }
}

fn without_binds(tables: &Tables, gone: &[Id]) -> Vec<Change> {
    let affected = tables.groups.values().filter(|row| row.binds.iter().any(|id| gone.contains(id)));
    let groups = affected.map(|row| {
        let binds = row.binds.iter().filter(|id| !gone.contains(id)).copied().collect();
        Change::SetGroup { id: row.id, binds }
    });
    groups.chain(gone.iter().map(|id| Change::RemoveKeyBind(*id))).collect()
}
