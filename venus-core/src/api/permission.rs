//! What a caller may do.

use std::fmt;

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
