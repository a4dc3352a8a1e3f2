//! Groups, tokens and accounts.

use super::{MAX_NAME, Result, check_name, page};
use crate::strategy::engine::Strategy;
use crate::strategy::error::StrategyError;
use crate::strategy::methods;
use crate::strategy::model::{AccountBind, Group, GroupAuth};
use crate::strategy::tables::{Change, GroupRow, Id, StoredToken, Tables, TokenRow};
use crate::strategy::token::StToken;

/// Longest name of an account, characters.
const MAX_ACCOUNT: usize = 255;
/// Most key binds of a group.
const MAX_BINDS: usize = 1000;

/// Groups, and the tokens and accounts that stand for them.
impl Strategy {
    /// A group of key binds, each of which counts once.
    ///
    /// # Errors
    /// [`StrategyError::NilReference`] without key binds, [`StrategyError::NoKeyBinds`], [`StrategyError::Exists`],
    /// [`StrategyError::Invalid`] for the name, [`StrategyError::TooMany`], [`StrategyError::Store`].
    pub async fn new_group(&self, name: &str, key_binds: &[String]) -> Result<()> {
        if key_binds.is_empty() {
            return Err(StrategyError::NilReference);
        }
        if key_binds.len() > MAX_BINDS {
            return Err(StrategyError::TooMany { what: "keyBinds in a group", limit: MAX_BINDS });
        }
        check_name("group name", name)?;
        self.0
            .edit(|tables| {
                let binds = binds_named(tables, &methods::distinct(key_binds))?;
                Ok((vec![Change::AddGroup(GroupRow { id: 0, name: name.into(), binds })], ()))
            })
            .await
    }

    /// A group by name.
    ///
    /// # Errors
    /// [`StrategyError::NotFound`].
    pub fn group(&self, name: &str) -> Result<Group> {
        let tables = self.0.seen();
        Ok(tables.group_of(tables.group_named(name)?))
    }

    /// At most `limit` groups without their key binds, without the first `skip` groups, ordered by id.
    ///
    /// # Errors
    /// As [`Strategy::type_templates`].
    pub fn groups(&self, skip: i64, limit: i64) -> Result<Vec<Group>> {
        let tables = self.0.seen();
        let bare = |row: &GroupRow| Group { id: row.id, name: row.name.clone(), key_binds: Vec::new() };
        page(tables.groups.values().map(bare), skip, limit)
    }

    /// Removes a group with all tokens and accounts that stand for it.
    ///
    /// # Errors
    /// [`StrategyError::NotFound`], [`StrategyError::Store`].
    pub async fn remove_group(&self, name: &str) -> Result<()> {
        self.0
            .edit(|tables| {
                let id = tables.group_named(name)?.id;
                let tokens = tables.tokens.iter().filter(|(_, group)| **group == id);
                let tokens = tokens.map(|(token, _)| Change::RemoveToken(token.clone()));
                let accounts = tables.accounts.iter().filter(|(_, group)| *group == id);
                let accounts = accounts.map(|(account, _)| Change::RemoveAccount(account.clone(), id));
                Ok((tokens.chain(accounts).chain([Change::RemoveGroup(id)]).collect(), ()))
            })
            .await
    }

    /// A new token that stands for a group. It is not shown again.
    ///
    /// # Errors
    /// [`StrategyError::NotFound`], [`StrategyError::Token`], [`StrategyError::TooMany`], [`StrategyError::Store`].
    pub async fn new_token(&self, group: &str) -> Result<StToken> {
        let token = StToken::generate(self.0.entropy.as_ref())?;
        let stored = StoredToken::of(&token, self.options().clear_tokens);
        self.0
            .edit(|tables| {
                let group = tables.group_named(group)?.id;
                Ok((vec![Change::AddToken(TokenRow { token: stored, group })], ()))
            })
            .await?;
        Ok(token)
    }

    /// What may be shown of the tokens of a group: their first eight characters, or all of tokens that are stored as
    /// they are.
    ///
    /// # Errors
    /// [`StrategyError::NotFound`].
    pub fn tokens_of(&self, group: &str) -> Result<Vec<String>> {
        let tables = self.0.seen();
        let id = tables.group_named(group)?.id;
        let tokens = tables.tokens.iter().filter(|(_, group)| **group == id);
        Ok(tokens.map(|(token, _)| token.shown().to_owned()).collect())
    }

    /// The group of a token. The token may be given as it is shown in lists.
    ///
    /// # Errors
    /// [`StrategyError::NotFound`]; [`StrategyError::Ambiguous`] for a shown part that several tokens have.
    pub fn token_info(&self, token: &str) -> Result<GroupAuth> {
        let tables = self.0.seen();
        let (stored, group) =
            tokens_like(&tables, token)?.into_iter().next().ok_or(StrategyError::NotFound)?;
        let Group { id, name, key_binds } =
            tables.groups.get(&group).map(|row| tables.group_of(row)).ok_or(StrategyError::NotFound)?;
        // Whoever gave all of the token gets it back, as Go has it.
        let token = StToken::parse(token).map_or_else(|| stored.shown().to_owned(), |token| token.expose());
        Ok(GroupAuth { token, group: id, name, key_binds })
    }

    /// Revokes a token. It may be given as it is shown in lists.
    ///
    /// # Errors
    /// As [`Strategy::token_info`]; [`StrategyError::Store`].
    pub async fn remove_token(&self, token: &str) -> Result<()> {
        self.0
            .edit(|tables| {
                let alike = tokens_like(tables, token)?.into_iter();
                Ok((alike.map(|(stored, _)| Change::RemoveToken(stored.clone())).collect(), ()))
            })
            .await
    }

    /// Lets requests that a gateway makes for an account use a group. An account may stand for several groups.
    ///
    /// # Errors
    /// [`StrategyError::NotFound`] for the group, [`StrategyError::Exists`], [`StrategyError::Invalid`] for the account,
    /// [`StrategyError::TooMany`], [`StrategyError::Store`].
    pub async fn bind_account(&self, account: &str, group: &str) -> Result<()> {
        check_account(account)?;
        self.0
            .edit(|tables| {
                let id = tables.group_named(group)?.id;
                Ok((vec![Change::AddAccount(account.into(), id)], ()))
            })
            .await
    }

    /// Ends that.
    ///
    /// # Errors
    /// [`StrategyError::NotFound`], [`StrategyError::Store`].
    pub async fn unbind_account(&self, account: &str, group: &str) -> Result<()> {
        self.0
            .edit(|tables| {
                let id = tables.group_named(group)?.id;
                Ok((vec![Change::RemoveAccount(account.into(), id)], ()))
            })
            .await
    }

    /// At most `limit` accounts with their groups, without the first `skip`, ordered by account.
    ///
    /// # Errors
    /// As [`Strategy::type_templates`].
    pub fn account_binds(&self, skip: i64, limit: i64) -> Result<Vec<AccountBind>> {
        page(self.0.seen().account_binds(), skip, limit)
    }
}

fn check_account(account: &str) -> Result<()> {
    let odd = |c: char| c.is_control() || c.is_whitespace() || c == ',';
    let length = account.chars().count();
    if (1..=MAX_ACCOUNT).contains(&length) && !account.chars().any(odd) {
        return Ok(());
    }
    let reason = "must have 1 to 255 characters, no white space and no comma";
    Err(StrategyError::Invalid { what: "account", reason })
}

fn binds_named(tables: &Tables, names: &[String]) -> Result<Vec<Id>> {
    let mut ids = Vec::with_capacity(names.len());
    let mut missing = String::new();
    for name in names {
        match tables.bind_named(name) {
            Ok(row) => ids.push(row.id),
            Err(_) if missing.len() < 200 => missing.extend(name.chars().take(MAX_NAME).chain([' '])),
            Err(_) => {}
        }
    }
    // Go lists them in the order of the table.
    ids.sort_unstable();
    if missing.is_empty() { Ok(ids) } else { Err(StrategyError::NoKeyBinds(missing)) }
}

fn tokens_like<'a>(tables: &'a Tables, text: &str) -> Result<Vec<(&'a StoredToken, Id)>> {
    let hash = StToken::parse(text).map(|token| token.hash());
    let is = |token: &StoredToken| match hash {
        Some(hash) => token.hash() == Some(hash),
        None => token.shown() == text,
    };
    let alike = tables.tokens.iter().filter(|(token, _)| is(token));
    let alike: Vec<_> = alike.map(|(token, group)| (token, *group)).collect();
    match alike.len() {
        0 => Err(StrategyError::NotFound),
        1 => Ok(alike),
        _ if hash.is_some() => Ok(alike),
        _ => Err(StrategyError::Ambiguous),
    }
}
