//! Which challenges are answered.

use proptest::prelude::*;
use uuid::Uuid;
use venus_core::cbor::Encode;
use venus_core::types::{Address, GatewayChallenge, MsgMeta, MsgType};
use venus_signer::gateway::{GatewayHandle, GatewayProvider};

use super::hub::{Conn, challenge, hub, legacy, options, wallet};

const CHANNEL: Uuid = Uuid::from_bytes([1; 16]);

/// A hub called `eu` to which the wallet is connected, before any challenge.
async fn connected(legacy: bool) -> (Conn, Vec<Address>, GatewayHandle) {
    let (wallet, owned) = wallet().await;
    let (pipes, options, _) = options();
    let mut hubs = pipes.serve("eu");
    let config = if legacy { hub("eu").legacy() } else { hub("eu") };
    let handle = GatewayProvider::start(wallet, vec![config], options).unwrap();
    let mut conn = hubs.recv().await.unwrap();
    conn.accept(1).await;
    (conn, owned, handle)
}

/// A hostile hub opens a session at another one in the wallet's name, and passes that one's question on.
#[tokio::test(start_paused = true)]
async fn t01_challenge_relay() {
    let (wallet, owned) = wallet().await;
    let (pipes, options, _) = options();
    let (mut honest, mut hostile) = (pipes.serve("honest"), pipes.serve("hostile"));
    let hubs = vec![hub("honest"), hub("hostile")];
    let _handle = GatewayProvider::start(wallet, hubs, options).unwrap();
    let (mut honest, mut hostile) = (honest.recv().await.unwrap(), hostile.recv().await.unwrap());
    honest.accept(1).await;
    hostile.accept(1).await;
    assert_ne!(honest.random, hostile.random, "nothing of one session is of use at another");
    for address in &owned {
        // The honest hub asks the attacker, who claims to be the wallet.
        let asked = GatewayChallenge { account: "mallory".into(), ..challenge("honest", CHANNEL, *address) };
        let refused = hostile.challenge(&asked).await.unwrap_err();
        assert!(refused.contains("another gateway"), "{refused}");
        let refused = hostile.challenge(&challenge("honest", CHANNEL, *address)).await.unwrap_err();
        assert!(refused.contains("another gateway"), "{refused}");
        // As a Go gateway would ask, with the session of either.
        for random in [honest.random.clone(), hostile.random.clone()] {
            let (to_sign, meta) = legacy(&random, [3; 32]);
            let refused = hostile.sign(address, &to_sign, &meta).await.unwrap_err();
            assert!(refused.contains("does not name the gateway"), "{refused}");
        }
        // The honest hub may ask, and its answer is worth nothing elsewhere.
        let own = challenge("honest", CHANNEL, *address);
        let signed = honest.challenge(&own).await.unwrap();
        let there = GatewayChallenge { hub: "hostile".into(), ..own };
        assert!(there.verify(&signed, std::time::Duration::ZERO).is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn deviation_11_challenges_have_to_name_this_hub_account_channel_and_key() {
    let (mut conn, owned, _handle) = connected(false).await;
    let good = challenge("eu", CHANNEL, owned[0]);
    conn.challenge(&good).await.unwrap();
    let now = super::hub::NOW;
    let cases = [
        (GatewayChallenge { hub: "EU".into(), ..good.clone() }, "another gateway"),
        (GatewayChallenge { account: "bob".into(), ..good.clone() }, "another account"),
        (GatewayChallenge { channel: Uuid::nil(), ..good.clone() }, "another channel"),
        (GatewayChallenge { expires: now - 31, ..good.clone() }, "expired"),
        (GatewayChallenge { expires: now + 400, ..good.clone() }, "too long"),
    ];
    for (asked, reason) in cases {
        let refused = conn.challenge(&asked).await.unwrap_err();
        assert!(refused.contains(reason), "{reason}: {refused}");
    }
    // Of one key for another, without its digest, with bytes behind it, half of it, nothing.
    let verify = |extra: Vec<u8>| MsgMeta { msg_type: MsgType::VerifyAddress, extra };
    let bytes = good.to_cbor();
    for (signer, to_sign, extra) in [
        (owned[1], good.digest().to_vec(), bytes.clone()),
        (owned[0], vec![0; 32], bytes.clone()),
        (owned[0], Vec::new(), bytes.clone()),
        (owned[0], good.digest().to_vec(), [&bytes[..], &[0]].concat()),
        (owned[0], good.digest().to_vec(), bytes[..bytes.len() - 1].to_vec()),
        (owned[0], good.digest().to_vec(), Vec::new()),
    ] {
        conn.sign(&signer, &to_sign, &verify(extra)).await.unwrap_err();
    }
    // None of that ended anything.
    conn.challenge(&good).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_channel_of_the_challenges_is_the_one_that_is_confirmed() {
    let (mut conn, owned, handle) = connected(false).await;
    conn.challenge(&challenge("eu", CHANNEL, owned[0])).await.unwrap();
    conn.confirm(Uuid::from_bytes([2; 16])).await;
    while conn.text().await.is_some() {}
    let status = handle.status().remove(0);
    assert!(!status.is_ready() && status.last_error.unwrap().contains("another channel"));
}

#[tokio::test(start_paused = true)]
async fn go_gateways_need_the_switch() {
    let (mut conn, owned, _handle) = connected(false).await;
    let (to_sign, meta) = legacy(&conn.random, [1; 32]);
    let refused = conn.sign(&owned[0], &to_sign, &meta).await.unwrap_err();
    assert!(refused.contains("legacy"), "{refused}");
    let (mut conn, owned, handle) = connected(true).await;
    for address in &owned {
        let (to_sign, meta) = legacy(&conn.random, [1; 32]);
        let signed = conn.sign(address, &to_sign, &meta).await.unwrap();
        venus_core::crypto::verify(&signed, address, &to_sign).unwrap();
        // Another wallet's session, and bytes that the hub chose alone.
        let (to_sign, meta) = legacy(&[7; 32], [1; 32]);
        conn.sign(address, &to_sign, &meta).await.unwrap_err();
        let long = MsgMeta { extra: vec![1; 64], ..meta };
        conn.sign(address, &to_sign, &long).await.unwrap_err();
    }
    // The switch does not open the door for challenges that name somebody else.
    let other = conn.challenge(&challenge("us", CHANNEL, owned[0])).await.unwrap_err();
    assert!(other.contains("another gateway"));
    conn.challenge(&challenge("eu", CHANNEL, owned[0])).await.unwrap();
    conn.confirm(CHANNEL).await;
    handle.wait_ready().await;
}

#[test]
fn the_challenge_of_go_is_what_it_was() {
    let (to_sign, _) = legacy(&[2; 32], [1; 32]);
    let expected = "f818afd37a6dc3bc92fb44731011277006db4efa6e9023cd7468c02335d22a4d";
    assert_eq!(data_encoding::HEXLOWER.encode(&to_sign), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever the extra bytes are: nothing is signed but the answer to a whole challenge for this place.
    #[test]
    fn no_bytes_of_a_hub_are_signed_as_a_challenge(extra in prop::collection::vec(any::<u8>(), 0..120), to_sign: [u8; 32]) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (mut conn, owned, _handle) = connected(true).await;
            let meta = MsgMeta { msg_type: MsgType::VerifyAddress, extra };
            conn.sign(&owned[0], &to_sign, &meta).await.unwrap_err();
        });
    }
}
