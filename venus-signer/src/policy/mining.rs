//! The preset `mining`: what sealing and mining need day by day, and nothing that moves value elsewhere or changes who
//! owns a miner.

use std::sync::Arc;
use std::time::Duration;

use venus_core::actors::{ActorKind, market};
use venus_core::api::Permission;
use venus_core::cbor::Decode;
use venus_core::types::{Address, Protocol};

use super::call::{Call, Role, Same, fil_text, text};
use super::config::{MiningConfig, PolicyError};
use super::kinds::{Kinds, may_be_aliases};
use super::limits::{Charge, Limits};
use super::params::{Fit, fit, proves};
use super::rule::{Facts, addresses, amount, total};
use crate::payload::PayloadClass;
use crate::request::{Caller, Origin};

/// `PublishStorageDealsExported`.
const PUBLISH_EXPORTED: u64 = 2_236_929_350;
/// `AddBalanceExported`.
const ADD_BALANCE_EXPORTED: u64 = 822_473_126;
/// `ProposeExported`.
const PROPOSE_EXPORTED: u64 = 1_696_838_335;

/// Clauses with the methods of a miner that they allow, and whether those carry pledge.
const MINER_METHODS: &[(&str, bool, &[u64])] = &[
    ("mining/proving", false, &[5]),
    ("mining/sealing", true, &[6, 7, 25, 26, 28, 34, 36]),
    ("mining/updates", true, &[27, 29, 35]),
    ("mining/faults", false, &[10, 11]),
    ("mining/extension", true, &[8, 32]),
    ("mining/compaction", false, &[19]),
];

/// Compiled.
#[derive(Debug)]
pub(crate) struct Mining {
    miners: Vec<Address>,
    pledge_cap: u128,
    pledge: (Arc<str>, u128, Duration),
    fee_cap: u128,
    tips: (Arc<str>, u128, Duration),
}

/// A clause that allows something.
pub(crate) struct Allowed {
    pub(crate) clause: &'static str,
    pub(crate) charge: Option<Charge>,
}

impl Mining {
    pub(crate) fn compile(config: &MiningConfig) -> Result<Self, PolicyError> {
        let wrong = |field: &str| {
            let field = format!("mining.{field}");
            move |reason: String| PolicyError::Field { field, reason }
        };
        let (value, period) = total(&config.pledge_total).map_err(wrong("pledge_total"))?;
        let tips = total(&config.tip_total).map_err(wrong("tip_total"))?;
        Ok(Self {
            miners: addresses(&config.miners).map_err(wrong("miners"))?,
            pledge_cap: amount(&config.pledge_cap).map_err(wrong("pledge_cap"))?,
            pledge: ("default: mining.pledge_total".into(), value, period),
            fee_cap: amount(&config.fee_cap).map_err(wrong("fee_cap"))?,
            tips: ("default: mining.tip_total".into(), tips.0, tips.1),
        })
    }

    /// The rule under which the pledges of a key are counted, and its period.
    pub(crate) fn pledge_limit(&self) -> (&Arc<str>, Duration) {
        (&self.pledge.0, self.pledge.2)
    }

    /// A premium goes to whoever mines the message, who may be the one that had it signed: it is value too.
    pub(crate) fn tip(&self, value: u128) -> Charge {
        let (rule, limit, period) = &self.tips;
        let limits = Limits { total: Some((*limit, *period)), rate: None };
        Charge { rule: rule.clone(), limits, value, lasting: false }
    }

    /// Decides about a payload that is no message.
    pub(crate) fn payload(&self, facts: &Facts<'_>) -> Result<Allowed, String> {
        use PayloadClass as C;
        let bls = facts.signer.protocol() == Protocol::BLS;
        let clause = match facts.class {
            C::Block if bls => "mining/block",
            // A challenge of another hub is 32 bytes too: who answers it for this one vouches for this one there.
            C::RawDigest32 if matches!(facts.caller.origin, Origin::Gateway { .. }) => {
                let why = "through a gateway 32 bytes may be the challenge of another one; send draws as drawrandomparam";
                return Err(format!("{why} (type {:?})", facts.class.as_str()));
            }
            C::Draw | C::RawDigest32 if bls => "mining/vrf",
            // Nothing on a chain or between its services reads these, and whoever may ask could export the key too.
            _ if facts.plain && is_operator(facts.caller) => "mining/plain-bytes",
            C::RawF3Vote | C::RawF3Ticket if bls => "mining/f3",
            C::Challenge => "mining/gateway-challenge",
            C::StorageAsk
            | C::AskResponse
            | C::NetworkResponse
            | C::DealState
            | C::RawMarket
            | C::ClientDeal => "mining/deal-protocol",
            other => return Err(refused(other)),
        };
        Ok(Allowed { clause, charge: None })
    }

    /// Decides about a call.
    pub(crate) fn call(&self, facts: &Facts<'_>, call: &Call<'_>) -> Result<Allowed, String> {
        if facts.fee > self.fee_cap {
            let (fee, cap) = (fil_text(facts.fee), fil_text(self.fee_cap));
            return Err(format!("gas may cost up to {fee}, above mining.fee_cap of {cap}"));
        }
        if call.role == Role::Constructor {
            return Err("no rule allows making actors".into());
        }
        match self.clause(call)? {
            (clause, true) => self.pledged(clause, call),
            (clause, false) if call.value == 0 => Ok(Allowed { clause, charge: None }),
            _ => Err("the method takes no value".into()),
        }
    }

    /// The clause, and whether value may go with the call.
    fn clause(&self, call: &Call<'_>) -> Result<(&'static str, bool), String> {
        if call.method == 0 && call.value == 0 {
            // Carries nothing; fills a nonce.
            return Ok(("mining/nothing", false));
        }
        if call.kinds == Kinds::of(ActorKind::Market) {
            return self.market(call);
        }
        if matches!(call.method, 2 | PROPOSE_EXPORTED)
            && call.kinds.has(ActorKind::Multisig)
            && fit(ActorKind::Multisig, call.method, &call.params) == Fit::Yes
        {
            // What is proposed has to be allowed too.
            return Ok(("mining/proposal", false));
        }
        let row = MINER_METHODS.iter().find(|row| row.2.contains(&call.method));
        match row {
            Some((clause, pledge, _)) if call.kinds.has(ActorKind::Miner) => {
                self.miner(call).map(|()| (*clause, *pledge))
            }
            _ => Err("it is not of the flow of sealing and mining".into()),
        }
    }

    fn miner(&self, call: &Call<'_>) -> Result<(), String> {
        if !proves(ActorKind::Miner, call.kinds, call.method, &call.params) {
            return Err(format!("the parameters are not those of method {} of a miner", call.method));
        }
        let kinds = Kinds::of(ActorKind::Miner);
        let listed = self.miners.iter().any(|miner| call.same(miner, kinds) == Same::Yes);
        if listed || self.miners.is_empty() {
            return Ok(());
        }
        let alias = self.miners.iter().any(|miner| may_be_aliases(miner, &call.to));
        let hint = if alias { "; name it there by this address too" } else { "" };
        Err(format!("{} is none of mining.miners{hint}", text(&call.to)))
    }

    /// Methods of the market that a provider calls.
    fn market(&self, call: &Call<'_>) -> Result<(&'static str, bool), String> {
        let params = &call.params;
        match call.method {
            market::PUBLISH_STORAGE_DEALS | PUBLISH_EXPORTED => {
                match market::PublishStorageDealsParams::from_cbor(params) {
                    Ok(_) => Ok(("mining/publish-deals", false)),
                    Err(error) => Err(format!("the parameters are no deals: {error}")),
                }
            }
            market::SETTLE_DEAL_PAYMENTS_EXPORTED => {
                match market::SettleDealPaymentsParams::from_cbor(params) {
                    Ok(_) => Ok(("mining/settle-deals", false)),
                    Err(error) => Err(format!("the parameters are no deal IDs: {error}")),
                }
            }
            // Whoever owns the escrow can take it: only that of a miner which the policy names.
            market::ADD_BALANCE | ADD_BALANCE_EXPORTED => match Address::from_cbor(params) {
                Ok(owner) if self.miners.contains(&owner) => Ok(("mining/escrow", true)),
                Ok(owner) => Err(format!("the escrow of {} is of none of mining.miners", text(&owner))),
                Err(error) => Err(format!("the parameters are no address: {error}")),
            },
            _ => Err("it is no method by which a provider publishes or settles deals".into()),
        }
    }

    fn pledged(&self, clause: &'static str, call: &Call<'_>) -> Result<Allowed, String> {
        if call.value > self.pledge_cap {
            let (value, cap) = (fil_text(call.value), fil_text(self.pledge_cap));
            return Err(format!("{value} are more than mining.pledge_cap of {cap}"));
        }
        let (rule, limit, period) = &self.pledge;
        let limits = Limits { total: Some((*limit, *period)), rate: None };
        let charge = Charge { rule: rule.clone(), limits, value: call.value, lasting: true };
        Ok(Allowed { clause, charge: (call.value > 0).then_some(charge) })
    }
}

/// An administrator of this wallet, not somebody behind a gateway.
fn is_operator(caller: &Caller) -> bool {
    !matches!(caller.origin, Origin::Gateway { .. }) && caller.permissions.allow(Permission::Admin)
}

fn refused(class: PayloadClass) -> String {
    use PayloadClass as C;
    let why = match class {
        C::RawCid => "the bytes are the CID of a message whose contents are not shown",
        C::RawEth => "the bytes are an Ethereum transaction",
        C::RawBlock => "the bytes are a block header",
        C::RawFrc102 | C::RawEthText => "the bytes are a text for a person",
        C::Deal | C::RawDeal => "a deal proposal commits a client's funds",
        C::Voucher | C::RawVoucher => "a voucher is money",
        C::LegacyDealBytes => "the bytes are no deal proposal",
        C::Block | C::Draw | C::RawDigest32 | C::RawF3Vote | C::RawF3Ticket => "only BLS worker keys sign it",
        _ => "it is not of the flow of sealing and mining",
    };
    format!("{why} (type {:?})", class.as_str())
}
