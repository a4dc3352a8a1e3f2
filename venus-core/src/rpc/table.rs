//! The table beside each API: what may be called, by whom, with what.

use std::fmt;

use serde::de::DeserializeOwned;

/// A right that a method needs. A caller has a set of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Permission {
    /// Nothing: health and version.
    None = 0,
    /// To read.
    Read = 1,
    /// To change state that is not money.
    Write = 2,
    /// To use keys.
    Sign = 4,
    /// Everything.
    Admin = 8,
}

impl Permission {
    /// The name on the wire and in tokens; empty for none.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Read => "read",
            Self::Write => "write",
            Self::Sign => "sign",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The rights of a caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Permissions(u8);

impl Permissions {
    /// No right at all.
    pub const NONE: Self = Self(0);
    /// Read only: what Lotus gives to callers without a token.
    pub const READ: Self = Self(1);
    /// Every right.
    pub const ALL: Self = Self(15);

    /// The rights that a token of level `level` has: each level includes those below. Unknown levels have none.
    pub fn up_to(level: &str) -> Self {
        match level {
            "read" => Self(1),
            "write" => Self(3),
            "sign" => Self(7),
            "admin" => Self::ALL,
            _ => Self::NONE,
        }
    }

    /// Adds the right called `name`; unknown names add none. Lotus tokens list their rights by name.
    #[must_use]
    pub fn with(self, name: &str) -> Self {
        let bit = match name {
            "read" => 1,
            "write" => 2,
            "sign" => 4,
            "admin" => 8,
            _ => 0,
        };
        Self(self.0 | bit)
    }

    /// Whether `permission` is among them. Everybody has [`Permission::None`].
    pub fn allow(self, permission: Permission) -> bool {
        let bit = permission as u8;
        self.0 & bit == bit
    }
}

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
        Self { go_type, refuse: |json| serde_json::from_str::<T>(json).err().map(|error| error.to_string()) }
    }
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
    /// Whether calling twice is as good as calling once, so that a client may repeat it.
    pub idempotent: bool,
    /// The parameters, all of which have to be present.
    pub params: &'static [Param],
    /// What comes back.
    pub returns: Returns,
}

impl MethodSpec {
    /// A method that returns a value, has no aliases and must not be repeated.
    pub const fn new(name: &'static str, permission: Permission, params: &'static [Param]) -> Self {
        Self { name, aliases: &[], permission, idempotent: false, params, returns: Returns::Value }
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
    fn the_ladder() {
        use Permission::*;
        let rights = |p: Permissions| [Read, Write, Sign, Admin].map(|right| p.allow(right));
        assert_eq!(rights(Permissions::up_to("read")), [true, false, false, false]);
        assert_eq!(rights(Permissions::up_to("write")), [true, true, false, false]);
        assert_eq!(rights(Permissions::up_to("sign")), [true, true, true, false]);
        assert_eq!(rights(Permissions::up_to("admin")), [true; 4]);
        assert_eq!(rights(Permissions::up_to("root")), [false; 4]);
        assert_eq!(rights(Permissions::NONE.with("sign").with("x")), [false, false, true, false]);
        assert!(Permissions::NONE.allow(None));
    }
}
