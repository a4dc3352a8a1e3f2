//! The table beside each API: what may be called, by whom, with what.

use std::fmt;

use serde::de::DeserializeOwned;

pub use crate::api::{Permission, Permissions};

/// A parameter of a method.
#[derive(Clone, Copy)]
pub struct Param {
    /// The type of the Go parameter as Go prints it: `int`, `[]uint8`, `types.TipSetKey`. Part of error texts.
    pub go_type: &'static str,
    /// Why JSON text is not this parameter. Asked only after the method's own decoding failed.
    pub(crate) refuse: fn(&str) -> Option<String>,
}

impl Param {
    /// A parameter that the method decodes as `T` and Go as `go_type`.
    pub const fn of<T: DeserializeOwned>(go_type: &'static str) -> Self {
        Self {
            go_type,
            refuse: |json| serde_json::from_str::<T>(json).err().map(|error| without_place(&error)),
        }
    }
}

/// The reason alone: Go names no line, and the line of one parameter is not that of the request.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).map_or_else(|| text.clone(), str::to_owned)
}

impl fmt::Debug for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Param").field(&self.go_type).finish()
    }
}

/// What a method answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// Nothing. The fork's answer then has no `result`.
    Nothing,
    /// A value.
    Value,
    /// A channel of values: over WebSocket only.
    Channel,
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct MethodSpec {
    /// The name on the wire, as `Filecoin.ChainHead`.
    pub name: &'static str,
    /// Other names, tried when no method has the name that was called.
    pub aliases: &'static [&'static str],
    /// The right that a caller needs.
    pub permission: Permission,
    /// What a narrowed token has to name, as `wallet.sign`; empty if no narrowed token may call it.
    pub scope: &'static str,
    /// How many calls it counts as where calls are limited; 1 for most.
    pub weight: u32,
    /// Whether calling twice is as good as calling once, so that a client may repeat it.
    pub idempotent: bool,
    /// The parameters, all of which have to be present.
    pub params: &'static [Param],
    /// What comes back.
    pub returns: Returns,
    /// What a caller reads who cancelled it.
    pub cancelled: &'static str,
    /// Whether it does next to nothing before it first waits or is done.
    pub prompt: bool,
}

/// What Go's contexts say.
const CANCELLED: &str = "context canceled";

impl MethodSpec {
    /// A method that returns a value, has no aliases and must not be repeated.
    pub const fn new(name: &'static str, permission: Permission, params: &'static [Param]) -> Self {
        Self {
            name,
            aliases: &[],
            permission,
            scope: "",
            weight: 1,
            idempotent: false,
            params,
            returns: Returns::Value,
            cancelled: CANCELLED,
            prompt: false,
        }
    }

    /// The method as one that returns nothing.
    #[must_use]
    pub const fn void(mut self) -> Self {
        self.returns = Returns::Nothing;
        self
    }

    /// The method as one that returns a channel. It is defined with `#[subscription]`, and has to watch
    /// `SubscriptionSink::closed` while it waits for values: that is how it learns that nobody wants more.
    #[must_use]
    pub const fn channel(mut self) -> Self {
        self.returns = Returns::Channel;
        self
    }

    /// The method as one that may be repeated.
    #[must_use]
    pub const fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// The method as one that tokens may be narrowed to.
    #[must_use]
    pub const fn scope(mut self, scope: &'static str) -> Self {
        self.scope = scope;
        self
    }

    /// The method as one that costs as much as so many others.
    #[must_use]
    pub const fn weight(mut self, calls: u32) -> Self {
        self.weight = calls;
        self
    }

    /// The name without its namespace, as limits and Go's texts have it.
    pub fn short_name(&self) -> &'static str {
        self.name.rsplit_once('.').map_or(self.name, |(_, name)| name)
    }

    /// The method with words of its own for a caller who cancelled it.
    #[must_use]
    pub const fn cancelled(mut self, text: &'static str) -> Self {
        self.cancelled = text;
        self
    }

    /// The method as one that does next to nothing, tens of microseconds at most, before it first waits or is done. It
    /// begins where its frame is read, and gets a task of its own only if it has to wait; until then the connection
    /// reads nothing else.
    #[must_use]
    pub const fn prompt(mut self) -> Self {
        self.prompt = true;
        self
    }

    /// The method with other names.
    #[must_use]
    pub const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }
}

/// The methods of one API or of several, as constants.
pub type MethodTable = [MethodSpec];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_the_reason_alone() {
        let refuse = Param::of::<bool>("main.Flag").refuse;
        assert_eq!(refuse("5").unwrap(), "invalid type: integer `5`, expected a boolean");
        assert_eq!(refuse("true"), None);
    }
}
