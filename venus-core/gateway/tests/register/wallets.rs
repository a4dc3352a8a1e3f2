//! Wallets that register.

use venus_core::api::AccountDirectory;

use super::home::*;

#[tokio::test(start_paused = true)]
async fn a_wallet_registers_and_stands_in_the_lists() {
    let pool = Pool::plain();
    let (signer, addresses) = keys(1, 2, 1);
    let wallet = pool.wallet(who("alice", 7), &signer).await;
    assert!(wallet.refused.is_empty(), "{:?}", wallet.refused);
    let methods: Vec<_> = wallet.heard.iter().map(|event| event.method.as_str()).collect();
    assert_eq!(
        methods,
        ["WalletList", "WalletSign", "WalletSign", "WalletSign", "RegisterReport", "InitConnect"]
    );
    let list = pool.hub.wallets();
    assert_eq!(list, [pool.hub.wallet("alice").unwrap()]);
    assert_eq!(list[0].support_accounts, ["alice"]);
    let [state] = &list[0].connect_states[..] else { panic!("{list:?}") };
    assert_eq!(state.channel_id, wallet.events.channel());
    assert_eq!((state.ip.as_str(), state.request_count), ("10.0.0.7:4000", 0));
    assert_eq!(state.create_time.unix_timestamp(), 1_700_000_000);
    assert_eq!(state.addrs.len(), 3);
    for address in &addresses {
        assert!(state.addrs.contains(address));
        assert_eq!(pool.accounts.accounts_of_signer(address).await.unwrap(), ["alice"]);
    }
    drop(wallet);
    assert!(pool.hub.wallets().is_empty());
    assert_eq!(pool.hub.wallet("alice").unwrap_err().to_string(), "wallet alice not exit");
    soon(pool.hub.shutdown()).await;
}
