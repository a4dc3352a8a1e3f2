//! Templates.

use super::{Result, check_name, find, page, some_methods};
use crate::strategy::engine::Strategy;
#[cfg(doc)]
use crate::strategy::error::StrategyError;
use crate::strategy::model::{MethodTemplate, MsgTypeTemplate};
use crate::strategy::msg_enum::MsgEnum;
use crate::strategy::tables::Change;

/// Templates. What key binds were made of them stays as it is when they change or go.
impl Strategy {
    /// A template of types.
    ///
    /// # Errors
    /// As [`MsgEnum::from_codes`]; [`StrategyError::Exists`], [`StrategyError::Invalid`] for the name,
    /// [`StrategyError::Store`].
    pub async fn new_type_template(&self, name: &str, codes: &[i64]) -> Result<()> {
        let meta_types = MsgEnum::from_codes(codes)?;
        check_name("template name", name)?;
        let row = MsgTypeTemplate { id: 0, name: name.into(), meta_types };
        self.0.edit(|_| Ok((vec![Change::AddTypeTemplate(row)], ()))).await
    }

    /// A template of types by name.
    ///
    /// # Errors
    /// [`StrategyError::NotFound`].
    pub fn type_template(&self, name: &str) -> Result<MsgTypeTemplate> {
        find(self.0.seen().type_templates.values(), |row| row.name == name)
    }

    /// At most `limit` templates of types, without the first `skip`, ordered by id.
    ///
    /// # Errors
    /// [`StrategyError::Invalid`] for negative numbers or more than 1000 rows.
    pub fn type_templates(&self, skip: i64, limit: i64) -> Result<Vec<MsgTypeTemplate>> {
        page(self.0.seen().type_templates.values().cloned(), skip, limit)
    }

    /// Removes a template of types.
    ///
    /// # Errors
    /// [`StrategyError::NotFound`], [`StrategyError::Store`].
    pub async fn remove_type_template(&self, name: &str) -> Result<()> {
        self.0
            .edit(|tables| {
                let row = find(tables.type_templates.values(), |row| row.name == name)?;
                Ok((vec![Change::RemoveTypeTemplate(row.id)], ()))
            })
            .await
    }

    /// A template of methods.
    ///
    /// # Errors
    /// [`StrategyError::NilReference`] without methods, [`StrategyError::IllegalMethods`]; and as
    /// [`Strategy::new_type_template`].
    pub async fn new_method_template(&self, name: &str, methods: &[String]) -> Result<()> {
        let methods = some_methods(methods)?;
        check_name("template name", name)?;
        let row = MethodTemplate { id: 0, name: name.into(), methods };
        self.0.edit(|_| Ok((vec![Change::AddMethodTemplate(row)], ()))).await
    }

    /// A template of methods by name.
    ///
    /// # Errors
    /// [`StrategyError::NotFound`].
    pub fn method_template(&self, name: &str) -> Result<MethodTemplate> {
        find(self.0.seen().method_templates.values(), |row| row.name == name)
    }

    /// At most `limit` templates of methods, without the first `skip`, ordered by id.
    ///
    /// # Errors
    /// As [`Strategy::type_templates`].
    pub fn method_templates(&self, skip: i64, limit: i64) -> Result<Vec<MethodTemplate>> {
        page(self.0.seen().method_templates.values().cloned(), skip, limit)
    }

    /// Removes a template of methods.
    ///
    /// # Errors
    /// [`StrategyError::NotFound`], [`StrategyError::Store`].
    pub async fn remove_method_template(&self, name: &str) -> Result<()> {
        self.0
            .edit(|tables| {
                let row = find(tables.method_templates.values(), |row| row.name == name)?;
                Ok((vec![Change::RemoveMethodTemplate(row.id)], ()))
            })
            .await
    }
}
