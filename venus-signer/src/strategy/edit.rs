//! Reading and changing strategies.

use venus_core::types::{Address, address};

use super::engine::Strategy;
use super::error::StrategyError;
use super::methods;
use super::model::{AccountBind, Group, GroupAuth, KeyBind, MethodTemplate, MsgTypeTemplate};
use super::msg_enum::MsgEnum;
use super::tables::{Change, GroupRow, Id, StoredToken, Tables, TokenRow};
use super::token::StToken;

/// Longest name, characters.
const MAX_NAME: usize = 32;
/// Longest name of an account, characters.
const MAX_ACCOUNT: usize = 255;
/// Most rows that a list returns.
const MAX_PAGE: usize = 1000;
/// Most key binds of one address that are returned, as in Go.
const MAX_OF_ADDRESS: usize = 100;
/// Most key binds of a group.
const MAX_BINDS: usize = 1000;

type Result<T> = std::result::Result<T, StrategyError>;

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

/// Key binds. Changes take effect for all groups that have them.
impl Strategy {
    /// Lets a key sign these types, and of chain messages these methods. Without methods it signs no chain message at
    /// [`Level::Methods`](super::Level::Methods).
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
        let (stored, group) = token_like(&tables, token)?;
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
                let (stored, _) = token_like(tables, token)?;
                Ok((vec![Change::RemoveToken(stored.clone())], ()))
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

fn find<'a, T: Clone + 'a>(mut rows: impl Iterator<Item = &'a T>, is: impl Fn(&T) -> bool) -> Result<T> {
    rows.find(|row| is(row)).cloned().ok_or(StrategyError::NotFound)
}

/// Go's `from` and `to` are offset and limit.
fn page<T>(rows: impl Iterator<Item = T>, skip: i64, limit: i64) -> Result<Vec<T>> {
    let bound = |n: i64| usize::try_from(n).ok();
    match (bound(skip), bound(limit).filter(|limit| *limit <= MAX_PAGE)) {
        (Some(skip), Some(limit)) => Ok(rows.skip(skip).take(limit).collect()),
        (None, _) => Err(StrategyError::Invalid { what: "from", reason: "must not be negative" }),
        (_, None) => {
            Err(StrategyError::Invalid { what: "to", reason: "must be 0 to 1000: it is the number of rows" })
        }
    }
}

fn check_name(what: &'static str, name: &str) -> Result<()> {
    let allowed = |c: u8| c.is_ascii_alphanumeric() || b"_-.:@+#/".contains(&c);
    match (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(allowed) {
        true => Ok(()),
        false => Err(StrategyError::name(what)),
    }
}

/// Accounts are named by the hub, so only what could not be told apart in lists is refused.
fn check_account(account: &str) -> Result<()> {
    let odd = |c: char| c.is_control() || c.is_whitespace() || c == ',';
    let length = account.chars().count();
    if (1..=MAX_ACCOUNT).contains(&length) && !account.chars().any(odd) {
        return Ok(());
    }
    let reason = "must have 1 to 255 characters, no white space and no comma";
    Err(StrategyError::Invalid { what: "account", reason })
}

fn some_methods(methods: &[String]) -> Result<Vec<String>> {
    if methods.is_empty() { Err(StrategyError::NilReference) } else { methods::checked(methods) }
}

fn add_bind(tables: &Tables, row: KeyBind) -> Result<(Vec<Change>, ())> {
    let store = |e| StrategyError::KeyBind(Box::new(e));
    check_name("keyBind name", &row.name).map_err(store)?;
    match tables.bind_named(&row.name) {
        Ok(_) => Err(store(StrategyError::Exists)),
        Err(_) => Ok((vec![Change::AddKeyBind(row)], ())),
    }
}

/// Takes key binds away, and out of all groups.
fn without_binds(tables: &Tables, gone: &[Id]) -> Vec<Change> {
    let affected = tables.groups.values().filter(|row| row.binds.iter().any(|id| gone.contains(id)));
    let groups = affected.map(|row| {
        let binds = row.binds.iter().filter(|id| !gone.contains(id)).copied().collect();
        Change::SetGroup { id: row.id, binds }
    });
    groups.chain(gone.iter().map(|id| Change::RemoveKeyBind(*id))).collect()
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

/// The token that a text stands for, whole or as it is shown.
fn token_like<'a>(tables: &'a Tables, text: &str) -> Result<(&'a StoredToken, Id)> {
    let hash = StToken::parse(text).map(|token| token.hash());
    let is = |token: &StoredToken| match hash {
        Some(hash) => token.hash() == Some(hash),
        None => token.shown() == text,
    };
    let mut alike = tables.tokens.iter().filter(|(token, _)| is(token));
    match (alike.next(), alike.next()) {
        (Some((token, group)), None) => Ok((token, *group)),
        (Some(_), Some(_)) => Err(StrategyError::Ambiguous),
        (None, _) => Err(StrategyError::NotFound),
    }
}
