//! The kinds of nodes.

use std::fmt;

use crate::json::Face;
use crate::types::Version;

/// What software a node says that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NodeKind {
    /// Lotus, or a proxy in front of several.
    Lotus,
    /// Venus.
    Venus,
    /// Forest.
    Forest,
}

impl NodeKind {
    /// Reads the answer to `Version`: only Lotus and Forest name an agent.
    pub fn of(version: &Version) -> Self {
        match version.agent.as_deref() {
            Some(agent) if agent.eq_ignore_ascii_case("forest") => Self::Forest,
            Some(_) => Self::Lotus,
            None if version.block_delay.is_some() => Self::Lotus,
            None => Self::Venus,
        }
    }
}

impl fmt::Display for NodeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lotus => "lotus",
            Self::Venus => "venus",
            Self::Forest => "forest",
        })
    }
}

mod sealed {
    pub trait Sealed {}
}

/// How a kind of node is spoken to. What it can do is found out, never assumed: proxies in front of Lotus have
/// methods of Venus.
pub trait Flavour: sealed::Sealed + Send + Sync + 'static {
    /// The kind.
    const KIND: NodeKind;
    /// Whose JSON is written.
    #[doc(hidden)]
    const FACE: Face;
    /// What the API is called in the header of Go's Venus clients.
    #[doc(hidden)]
    const NAMESPACE: Option<&'static str>;
}

macro_rules! flavours {
    ($($(#[$doc:meta])* $flavour:ident: $face:ident, $namespace:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub enum $flavour {}

        impl sealed::Sealed for $flavour {}

        impl Flavour for $flavour {
            const KIND: NodeKind = NodeKind::$flavour;
            const FACE: Face = Face::$face;
            const NAMESPACE: Option<&'static str> = $namespace;
        }
    )+};
}

flavours! {
    /// Marks a node that is spoken to as Lotus.
    Lotus: Lotus, None;
    /// Marks a node that is spoken to as Venus.
    Venus: Venus, Some("v1.FullNode");
    /// Marks a node that is spoken to as Forest.
    Forest: Lotus, None;
}
