//! What strategies are made of, as JSON clients see it.

use serde::{Deserialize, Deserializer, Serialize};
use venus_core::types::{Address, address};

use super::MsgEnum;

/// A set of message types under a name, to make key binds of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MsgTypeTemplate {
    /// The id.
    #[serde(rename = "MTTId")]
    pub id: u64,
    /// The name, unique among its kind.
    #[serde(rename = "Name")]
    pub name: String,
    /// The types.
    #[serde(rename = "MetaTypes")]
    pub meta_types: MsgEnum,
}

/// A list of methods under a name, to make key binds of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodTemplate {
    /// The id.
    #[serde(rename = "MTId")]
    pub id: u64,
    /// The name, unique among its kind.
    #[serde(rename = "Name")]
    pub name: String,
    /// The names of the methods.
    #[serde(rename = "Methods", deserialize_with = "list")]
    pub methods: Vec<String>,
}

/// What one key may sign: these types and, if chain messages are among them, these methods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyBind {
    /// The id.
    #[serde(rename = "BindID", alias = "BindId")]
    pub id: u64,
    /// The name, unique among its kind.
    #[serde(rename = "Name")]
    pub name: String,
    /// The key's address as it was written. Early Go wallets did not check it.
    #[serde(rename = "Address")]
    pub address: String,
    /// The types.
    #[serde(rename = "MetaTypes")]
    pub meta_types: MsgEnum,
    /// The names of the methods.
    #[serde(rename = "Methods", deserialize_with = "list")]
    pub methods: Vec<String>,
}

impl KeyBind {
    /// The key's address, unless what is stored is none. Such a key bind allows nothing.
    pub fn key(&self) -> Option<Address> {
        address::parse(&self.address).ok()
    }
}

/// Key binds under a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The id.
    #[serde(rename = "GroupID", alias = "GroupId")]
    pub id: u64,
    /// The name, unique among its kind.
    #[serde(rename = "Name")]
    pub name: String,
    /// The key binds; left out in lists of groups.
    #[serde(rename = "KeyBinds", deserialize_with = "list")]
    pub key_binds: Vec<KeyBind>,
}

/// A token and the group that it stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupAuth {
    /// What is shown of the token; all of it if tokens are stored as they are.
    #[serde(rename = "Token")]
    pub token: String,
    /// The group's id.
    #[serde(rename = "GroupID", alias = "GroupId")]
    pub group: u64,
    /// The group's name.
    #[serde(rename = "Name")]
    pub name: String,
    /// The group's key binds.
    #[serde(rename = "KeyBinds", deserialize_with = "list")]
    pub key_binds: Vec<KeyBind>,
}

/// An account of a gateway that stands for a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountBind {
    /// The account.
    #[serde(rename = "Account")]
    pub account: String,
    /// The group's id.
    #[serde(rename = "GroupID")]
    pub group: u64,
    /// The group's name.
    #[serde(rename = "Name")]
    pub name: String,
}

/// Go writes nil for an empty list.
fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
