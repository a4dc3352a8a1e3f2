//! What payloads rules speak of.

use venus_core::types::MsgType;

use super::view::PayloadClass;

/// The classes with their names in rules.
const NAMES: &[(PayloadClass, &str)] = &[
    (PayloadClass::Message, "message"),
    (PayloadClass::Block, "block"),
    (PayloadClass::Draw, "drawrandomparam"),
    (PayloadClass::DealProposal, "dealproposal"),
    (PayloadClass::ClientDeal, "clientdeal"),
    (PayloadClass::Voucher, "signedvoucher"),
    (PayloadClass::StorageAsk, "storageask"),
    (PayloadClass::AskResponse, "askresponse"),
    (PayloadClass::NetworkResponse, "networkresposne"),
    (PayloadClass::ProviderDealState, "providerdealstate"),
    (PayloadClass::VerifyAddress, "verifyaddress"),
    (PayloadClass::RawCid, "raw-cid"),
    (PayloadClass::RawEth, "raw-eth"),
    (PayloadClass::RawBlock, "raw-block"),
    (PayloadClass::RawF3Vote, "f3-vote"),
    (PayloadClass::RawF3Ticket, "f3-ticket"),
    (PayloadClass::RawFrc102, "frc102"),
    (PayloadClass::RawDigest32, "digest32"),
    (PayloadClass::RawOther, "raw-other"),
    (PayloadClass::LegacyDealBytes, "legacy-deal-bytes"),
];

/// Raw bytes that are something else in disguise, or words a person signs. Only a rule that names them allows them.
const NAMED_ONLY: &[PayloadClass] = &[
    PayloadClass::RawCid,
    PayloadClass::RawEth,
    PayloadClass::RawBlock,
    PayloadClass::RawFrc102,
    PayloadClass::LegacyDealBytes,
];

/// The name of a class in rules.
pub(crate) fn name(class: PayloadClass) -> &'static str {
    NAMES.iter().find(|row| row.0 == class).map_or("other", |row| row.1)
}

/// A set of classes. A class without a name belongs to no set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Classes(u32);

impl Classes {
    fn of(classes: &[PayloadClass]) -> Self {
        classes.iter().fold(Self::default(), |set, class| set.with(*class))
    }

    fn with(self, class: PayloadClass) -> Self {
        let place = NAMES.iter().position(|row| row.0 == class);
        Self(self.0 | place.map_or(0, |place| 1 << place))
    }

    fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// What a rule says of types, compiled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TypeSet {
    classes: Classes,
    /// For rules that deny: whatever is asked for under these names, by the place in [`MsgType::ALL`].
    claimed: u32,
    any: bool,
}

impl TypeSet {
    /// `messages_only`: the rule has conditions that only messages have.
    pub(crate) fn compile(names: &[String], deny: bool, messages_only: bool) -> Result<Self, String> {
        let mut set = Self { classes: Classes::default(), claimed: 0, any: names.is_empty() && !messages_only };
        if names.is_empty() && messages_only {
            set.add("message", deny)?;
        }
        for name in names {
            set.add(name, deny)?;
        }
        Ok(set)
    }

    fn add(&mut self, name: &str, deny: bool) -> Result<(), String> {
        use PayloadClass as C;
        let own = NAMES.iter().find(|row| row.1 == name).map(|row| row.0);
        let claimed = MsgType::from_name(name).filter(|kind| *kind != MsgType::Undefined);
        let more: &[C] = match (name, deny) {
            ("unknown", _) => &[C::RawDigest32, C::RawOther],
            ("f3", _) => &[C::RawF3Vote, C::RawF3Ticket],
            // Who may not sign messages may not sign their CIDs either.
            ("message", true) => &[C::RawCid, C::RawEth],
            ("block", true) => &[C::RawBlock],
            ("drawrandomparam", true) => &[C::RawDigest32],
            ("dealproposal", true) => &[C::LegacyDealBytes],
            _ => &[],
        };
        if own.is_none() && claimed.is_none() {
            let names: Vec<_> = NAMES.iter().map(|row| row.1).chain(["unknown", "f3"]).collect();
            return Err(format!("{name:?} is no type; the types are {}", names.join(", ")));
        }
        for class in own.iter().chain(more) {
            self.classes = self.classes.with(*class);
        }
        if deny {
            self.claimed |= claimed.map_or(0, place);
        }
        Ok(())
    }

    /// Whether a rule that allows covers the class.
    pub(crate) fn certainly(&self, class: PayloadClass) -> bool {
        let class = Classes::default().with(class);
        if self.any { !class.meets(Classes::of(NAMED_ONLY)) } else { self.classes.meets(class) }
    }

    /// Whether a rule that denies covers the class.
    pub(crate) fn possibly(&self, class: PayloadClass, claimed: MsgType) -> bool {
        self.any || self.classes.meets(Classes::default().with(class)) || self.claimed & place(claimed) != 0
    }
}

fn place(kind: MsgType) -> u32 {
    MsgType::ALL.iter().position(|other| *other == kind).map_or(0, |place| 1 << place)
}
