//! What payloads rules speak of.

use venus_core::types::MsgType;

use crate::payload::PayloadClass as C;

/// Raw bytes that mean something elsewhere, or that a person reads. Only a rule that names them allows them.
const NAMED_ONLY: &[C] = &[
    C::RawCid,
    C::RawEth,
    C::RawBlock,
    C::RawDeal,
    C::RawVoucher,
    C::RawFrc102,
    C::RawEthText,
    C::LegacyDealBytes,
];

/// The classes that a message type of requests stands for in a rule that allows.
fn classes_of(kind: MsgType) -> &'static [C] {
    match kind {
        MsgType::ChainMessage => &[C::Message],
        MsgType::Block => &[C::Block],
        MsgType::DrawRandomParam => &[C::Draw],
        MsgType::DealProposal => &[C::Deal],
        MsgType::ClientDeal => &[C::ClientDeal],
        MsgType::SignedVoucher => &[C::Voucher],
        MsgType::StorageAsk => &[C::StorageAsk],
        MsgType::AskResponse => &[C::AskResponse],
        MsgType::NetworkResponse => &[C::NetworkResponse],
        MsgType::ProviderDealState => &[C::DealState],
        MsgType::VerifyAddress => &[C::Challenge],
        MsgType::F3 => &[C::RawF3Vote, C::RawF3Ticket],
        MsgType::Unknown => &[C::RawDigest32, C::RawUuid, C::RawText, C::RawOther],
        _ => &[],
    }
}

/// Raw bytes that do the same as a class: who may not sign messages may not sign their CIDs either.
fn disguises(class: C) -> &'static [C] {
    match class {
        C::Message => &[C::RawCid, C::RawEth],
        C::Block => &[C::RawBlock],
        C::Draw => &[C::RawDigest32],
        C::Deal => &[C::RawDeal, C::LegacyDealBytes],
        C::ClientDeal => &[C::RawDeal],
        C::Voucher => &[C::RawVoucher],
        C::StorageAsk | C::DealState | C::NetworkResponse => &[C::RawMarket],
        _ => &[],
    }
}

/// A set of classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Classes(u64);

impl Classes {
    fn of(classes: &[C]) -> Self {
        classes.iter().fold(Self::default(), |set, class| Self(set.0 | Self::bit(*class)))
    }

    fn bit(class: C) -> u64 {
        1 << class as u64
    }

    fn has(self, class: C) -> bool {
        self.0 & Self::bit(class) != 0
    }

    fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What a rule says of types, compiled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TypeSet {
    classes: Classes,
    /// For rules that deny: whatever is asked for under these names.
    claimed: u64,
    any: bool,
}

impl TypeSet {
    /// `messages_only`: the rule has conditions that only messages have.
    pub(crate) fn compile(names: &[String], deny: bool, messages_only: bool) -> Result<Self, String> {
        let mut set =
            Self { classes: Classes::default(), claimed: 0, any: names.is_empty() && !messages_only };
        if names.is_empty() && messages_only {
            set.add(MsgType::ChainMessage.as_str(), deny)?;
        }
        for name in names {
            set.add(name, deny)?;
        }
        Ok(set)
    }

    fn add(&mut self, name: &str, deny: bool) -> Result<(), String> {
        let kind = MsgType::from_name(name).filter(|kind| *kind != MsgType::Undefined);
        let class = C::from_name(name);
        if kind.is_none() && class.is_none() {
            let kinds = MsgType::ALL.iter().map(|kind| kind.as_str());
            let raw = C::ALL.iter().filter(|class| class.is_raw()).map(|class| class.as_str());
            let names: Vec<_> = kinds.chain(raw).collect();
            return Err(format!("{name:?} is no type; the types are {}", names.join(", ")));
        }
        let named = Classes::of(kind.map_or(&[], classes_of)).and(Classes::of(class.as_slice()));
        self.classes = self.classes.and(named);
        if deny {
            let all = C::ALL.iter().filter(|class| named.has(**class));
            self.classes = all.fold(self.classes, |set, class| set.and(Classes::of(disguises(*class))));
            self.claimed |= kind.map_or(0, claim);
        }
        Ok(())
    }

    /// Whether a rule that allows covers the class.
    pub(crate) fn certainly(&self, class: C) -> bool {
        if self.any { !NAMED_ONLY.contains(&class) } else { self.classes.has(class) }
    }

    /// Whether a rule that denies covers the class.
    pub(crate) fn possibly(&self, class: C, claimed: MsgType) -> bool {
        self.any || self.classes.has(class) || self.claimed & claim(claimed) != 0
    }
}

fn claim(kind: MsgType) -> u64 {
    1 << kind as u64
}
