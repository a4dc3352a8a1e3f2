//! Messages here have no signatures, so that thousands of them cost nothing: the pool never looks at them again.

use fvm_shared::message::Message;
use proptest::prelude::*;
use venus_core::types::{MessageExt, Signature, SignatureType, SignedMessage};

use super::*;
use crate::state::ActorState;

const BILLION: u64 = 1_000_000_000;

/// A sender with what it has waiting: `(nonce, premium, gas limit)`.
#[derive(Clone, Debug)]
struct Sender {
    number: u8,
    bls: bool,
    nonce: u64,
    /// attoFIL.
    balance: u128,
    messages: Vec<(u64, i64, u64)>,
}

impl Sender {
    fn new(number: u8, messages: &[(u64, i64, u64)]) -> Self {
        Self { number, bls: true, nonce: 0, balance: 1 << 90, messages: messages.to_vec() }
    }

    fn address(&self) -> Address {
        Address::new_bls(&[self.number; 48]).unwrap()
    }

    fn queue(&self) -> Queue {
        let entries = self.messages.iter().map(|(nonce, premium, gas_limit)| {
            let message = Message {
                version: 0,
                from: self.address(),
                to: Address::new_id(1),
                sequence: *nonce,
                value: TokenAmount::from_atto(0),
                method_num: 0,
                params: Default::default(),
                gas_limit: *gas_limit,
                gas_fee_cap: TokenAmount::from_atto(*premium + 100),
                gas_premium: TokenAmount::from_atto(*premium),
            };
            let sig_type = if self.bls { SignatureType::Bls } else { SignatureType::Secp256k1 };
            let signature = Signature { sig_type, data: vec![0; 65] };
            let signed = SignedMessage { message, signature };
            (*nonce, Arc::new(Verified::trust(signed, self.address())))
        });
        entries.collect()
    }

    fn actor(&self) -> Actor {
        let actor = Actor::new(ActorState::Account { address: self.address() });
        let mut actor = actor.with_balance(TokenAmount::from_atto(self.balance));
        actor.nonce = self.nonce;
        actor
    }
}

/// The base fee is 100, so that a message is a loss if its premium is negative.
fn candidates(senders: &[Sender], preferred: &[u8]) -> Candidates {
    let known: Vec<_> = senders.iter().map(|s| (s.address(), s.queue(), s.actor())).collect();
    let of_number = |number: &u8| Address::new_bls(&[*number; 48]).unwrap();
    let preferred = preferred.iter().map(of_number).collect();
    let borrowed = known.iter().map(|(address, queue, actor)| (*address, queue, actor));
    Candidates::of(borrowed, &preferred, TokenAmount::from_atto(100))
}

/// Who is in the lists, by number, with the nonces.
fn chosen(senders: &[Sender], preferred: &[u8], qualities: &[f64]) -> Vec<Vec<(u8, u64)>> {
    let lists = candidates(senders, preferred).select(qualities).unwrap();
    let number = |m: &Arc<Verified>| senders.iter().find(|s| s.address() == m.sender).unwrap().number;
    lists.iter().map(|list| list.iter().map(|m| (number(m), m.nonce())).collect()).collect()
}

/// Four messages that fill a block each, the best first.
fn full_blocks() -> Vec<Sender> {
    let full = 10 * BILLION;
    [(1, 100), (2, 90), (3, 80), (4, 70)].map(|(n, premium)| Sender::new(n, &[(0, premium, full)])).to_vec()
}

#[test]
fn a_bad_ticket_leaves_the_best_to_those_before_it() {
    let one = |quality| chosen(&full_blocks(), &[], &[quality]).remove(0);
    assert_eq!(one(1.0), [(1, 0)]);
    assert_eq!(one(0.85), [(1, 0)]);
    // The chances of the first places are 0.152, 0.262, 0.255 and 0.175.
    assert_eq!(one(0.5), [(2, 0)]);
    // They are 0.034, 0.085, 0.141 and 0.177.
    assert_eq!(one(0.0), [(4, 0)]);
    assert_eq!(one(f64::NAN), one(0.0), "no number is the worst ticket");
    assert_eq!(one(7.0), one(1.0));
}

#[test]
fn the_better_ticket_chooses_first_whatever_its_place() {
    assert_eq!(chosen(&full_blocks(), &[], &[0.0, 0.9, 0.5]), [[(4, 0)], [(1, 0)], [(2, 0)]]);
    let equal = chosen(&full_blocks(), &[], &[0.5; 5]);
    assert_eq!(equal, [vec![(2, 0)], vec![(3, 0)], vec![(1, 0)], vec![(4, 0)], vec![]]);
}

#[test]
fn messages_that_make_no_full_block_are_all_taken() {
    let senders = [Sender::new(1, &[(0, 5, BILLION), (1, 7, BILLION)]), Sender::new(2, &[(0, 6, BILLION)])];
    for quality in [0.0, 0.3, 0.84, 0.9] {
        // The second message of the first sender lifts its first to the average, the sender then comes by its nonce.
        assert_eq!(chosen(&senders, &[], &[quality]), [[(1, 0), (1, 1), (2, 0)]]);
    }
}

#[test]
fn what_does_not_fit_is_cut_short_and_what_depends_on_it_left_out() {
    let senders = [
        Sender::new(1, &[(0, 9, 6 * BILLION)]),
        Sender::new(2, &[(0, 8, 3 * BILLION), (1, 8, 3 * BILLION), (2, 1, BILLION)]),
        Sender::new(3, &[(0, 1, BILLION)]),
    ];
    assert_eq!(chosen(&senders, &[], &[1.0]), [[(1, 0), (2, 0), (3, 0)]]);
}

#[test]
fn senders_of_priority_go_first_but_never_at_a_loss() {
    let senders = [
        Sender::new(1, &[(0, 9, 6 * BILLION)]),
        Sender::new(2, &[(0, 0, 6 * BILLION), (1, -1, BILLION)]),
        Sender::new(3, &[(0, 8, 4 * BILLION)]),
    ];
    assert_eq!(chosen(&senders, &[2], &[0.5, 0.6]), [vec![(1, 0)], vec![(2, 0), (3, 0)]]);
}

#[test]
fn gaps_losses_and_empty_purses_end_a_sender() {
    let gap = Sender::new(1, &[(0, 5, BILLION), (2, 5, BILLION)]);
    let ahead = Sender::new(2, &[(1, 5, BILLION)]);
    let behind = Sender { nonce: 1, ..Sender::new(3, &[(0, 9, BILLION), (1, 4, BILLION)]) };
    let loss = Sender::new(4, &[(0, 3, BILLION), (1, -1, BILLION), (2, -1, BILLION)]);
    // Each message costs 102 attoFIL for a unit of gas.
    let poor =
        Sender { balance: 150 * u128::from(BILLION), ..Sender::new(5, &[(0, 2, BILLION), (1, 2, BILLION)]) };
    let stingy = Sender::new(6, &[(0, 1, 100)]);
    let senders = [gap, ahead, behind, loss, poor, stingy];
    assert_eq!(chosen(&senders, &[], &[1.0]), [[(1, 0), (3, 1), (4, 0), (5, 0)]]);
}

#[test]
fn lists_of_a_block_cannot_be_longer_than_their_encoding() {
    let many = |number, bls, count: u64| Sender {
        bls,
        ..Sender::new(number, &(0..count).map(|nonce| (nonce, 5, 900_000)).collect::<Vec<_>>())
    };
    let lists = candidates(&[many(1, true, 9_000), many(2, false, 9_000)], &[]).select(&[0.9, 0.8]).unwrap();
    let bls = count_bls(&lists[0]);
    assert_eq!((bls, lists[0].len() - bls), (8_192, 1_808));
    assert!(lists[1].is_empty(), "both have a beginning in the first");
}

#[test]
fn nobody_has_a_hundred_and_one_tickets() {
    assert_eq!(candidates(&full_blocks(), &[]).select(&[0.5; 100]).unwrap().len(), 100);
    assert!(matches!(candidates(&full_blocks(), &[]).select(&[0.5; 101]), Err(ChainError::Invalid(_))));
}

fn senders() -> impl Strategy<Value = Vec<Sender>> {
    let gas = prop_oneof![Just(700_000u64), 600_000..3 * BILLION];
    let message = (prop_oneof![9 => Just(1u64), 1 => Just(2)], -3i64..20, gas);
    let sender = (any::<bool>(), 0u64..3, 0u64..6, prop::collection::vec(message, 0..30));
    let sender = sender.prop_map(|(bls, nonce, purse, steps)| {
        let mut at = 0;
        let mut numbered = |(step, premium, gas): (u64, i64, u64)| {
            let nonce = at;
            at += step;
            (nonce, premium, gas)
        };
        let messages = steps.into_iter().map(&mut numbered).collect();
        let balance = u128::from(purse * purse) * 100 * u128::from(BILLION);
        Sender { number: 0, bls, nonce, balance, messages }
    });
    prop::collection::vec(sender, 0..12).prop_map(|mut senders| {
        senders.iter_mut().zip(1..).for_each(|(sender, number)| sender.number = number);
        senders
    })
}

fn check_list(senders: &[Sender], list: &[Arc<Verified>]) {
    let gas: u64 = list.iter().map(|m| m.signed.message.gas_limit).sum();
    assert!(gas <= BLOCK_GAS_LIMIT && list.len() <= MESSAGE_LIMIT);
    for sender in senders {
        let own: Vec<_> = list.iter().filter(|m| m.sender == sender.address()).collect();
        let nonces: Vec<u64> = own.iter().map(|m| m.nonce()).collect();
        assert_eq!(nonces, (sender.nonce..sender.nonce + own.len() as u64).collect::<Vec<_>>());
        let cost: TokenAmount = own.iter().map(|m| m.signed.message.required_funds()).sum();
        assert!(cost <= TokenAmount::from_atto(sender.balance));
    }
}

/// What the miner of a list earns, attoFIL per unit of gas times gas; the base fee is 100.
fn earned(list: &[Arc<Verified>]) -> i128 {
    let premium = |m: &Verified| i128::try_from(m.signed.message.gas_premium.atto().clone()).unwrap();
    list.iter().map(|m| premium(m) * i128::from(m.signed.message.gas_limit)).sum()
}

proptest! {
    #[test]
    fn lists_are_valid_and_share_no_sender(
        senders in senders(), qualities in prop::collection::vec(0.0f64..=1.0, 1..5), preferred in prop::collection::vec(1u8..13, 0..3),
    ) {
        let lists = candidates(&senders, &preferred).select(&qualities).unwrap();
        prop_assert_eq!(lists.len(), qualities.len());
        let mut taken = HashSet::new();
        for list in &lists {
            check_list(&senders, list);
            prop_assert!(earned(list) >= 0);
            let own: HashSet<Address> = list.iter().map(|m| m.sender).collect();
            prop_assert!(own.iter().all(|sender| taken.insert(*sender)));
        }
    }

    #[test]
    fn of_equal_tickets_the_earlier_choose_first(senders in senders(), quality in 0.0f64..=1.0, n in 1usize..5) {
        let many = chosen(&senders, &[], &vec![quality; n]);
        let fewer = chosen(&senders, &[], &vec![quality; n - 1]);
        prop_assert_eq!(&many[..n - 1], &fewer[..]);
        let last = many.last().unwrap();
        prop_assert!(last.is_empty() || many.iter().all(|list| !list.is_empty()), "nobody goes without while a later one has some");
    }

    /// Nothing that a block has room for stays behind, however bad its ticket.
    #[test]
    fn no_block_wastes_room(senders in senders(), quality in 0.0f64..=1.0) {
        let all: u64 = candidates(&senders, &[]).others.values().flatten().map(|(_, chain)| chain.gas).sum();
        let list = candidates(&senders, &[]).select(&[quality]).unwrap().remove(0);
        let used: u64 = list.iter().map(|m| m.signed.message.gas_limit).sum();
        prop_assert!(all > BLOCK_GAS_LIMIT || used == all);
    }
}
