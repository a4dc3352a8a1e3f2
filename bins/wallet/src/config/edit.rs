//! The one change that the wallet makes to an existing file: a support account more.

use std::path::Path;

use toml_edit::{Array, DocumentMut, Item, Table, value};
use venus_core::error::BoxError;

use super::FILE;
use venus_bins_common::files;

/// Adds `account` to `[APIRegisterHub] SupportAccounts`. Comments and everything else stay as they are.
pub(crate) fn add_support_account(repo: &Path, account: &str) -> Result<(), BoxError> {
    let path = repo.join(FILE);
    let text = std::fs::read_to_string(&path)?;
    files::replace(&path, with_account(&text, account)?.as_bytes())?;
    Ok(())
}

fn with_account(text: &str, account: &str) -> Result<String, BoxError> {
    let mut document: DocumentMut = text.parse().map_err(|_| "config.toml is no TOML any more")?;
    let root = document.as_table_mut();
    let section = entry(root, "APIRegisterHub", Item::Table(Table::new()));
    let section = section.as_table_like_mut().ok_or("[APIRegisterHub] is no section")?;
    let name = named(section.iter().map(|(name, _)| name), "SupportAccounts");
    let accounts = section.entry(&name).or_insert(value(Array::new()));
    accounts.as_array_mut().ok_or("SupportAccounts is no list")?.push(account);
    Ok(document.to_string())
}

fn entry<'a>(table: &'a mut Table, name: &str, fresh: Item) -> &'a mut Item {
    let name = named(table.iter().map(|(name, _)| name), name);
    table.entry(&name).or_insert(fresh)
}

/// How the file spells `name`.
fn named<'a>(mut names: impl Iterator<Item = &'a str>, name: &str) -> String {
    names.find(|there| there.eq_ignore_ascii_case(name)).unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_order_stay() {
        let text =
            "# mine\n[apiregisterhub] # hub\n  supportaccounts = [\"a\"] # few\n\n[DB]\n  Conn = \"x\"\n";
        let changed = with_account(text, "b").unwrap();
        assert_eq!(changed, text.replace("[\"a\"]", "[\"a\", \"b\"]"));
    }

    #[test]
    fn what_is_missing_is_made() {
        let changed = with_account("[DB]\nConn = \"x\"\n", "b").unwrap();
        assert!(changed.starts_with("[DB]\nConn = \"x\"\n"), "{changed}");
        assert!(changed.contains("[APIRegisterHub]\nSupportAccounts = [\"b\"]"), "{changed}");
        assert!(with_account("APIRegisterHub = 1", "b").is_err());
    }
}
