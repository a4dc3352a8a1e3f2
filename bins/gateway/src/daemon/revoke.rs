//! What ends at venus-auth ends here.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use venus_auth::Effect;
use venus_core::error::{Classify, ErrorKind};
use venus_core::rpc::Identity;
use venus_gateway::Ended;

use super::Parts;

/// Between two questions while venus-auth is away.
const PAUSE: Duration = Duration::from_millis(500);
/// Between two questions to a service that knows no such stream.
const LONG_PAUSE: Duration = Duration::from_secs(60);

/// Follows until the stop.
pub(super) async fn follow(parts: Parts, stop: CancellationToken) -> Result<(), Infallible> {
    let mut stream = parts.auth.revocations();
    while let Some(told) = stop.run_until_cancelled(stream.next()).await {
        match told {
            Ok(effects) => effects.iter().for_each(|effect| end(&parts, effect)),
            Err(error) => {
                let pause = if error.kind() == ErrorKind::Unsupported { LONG_PAUSE } else { PAUSE };
                tracing::warn!(%error, "what ends at venus-auth is not heard of");
                let _ = stop.run_until_cancelled(tokio::time::sleep(pause)).await;
            }
        }
    }
    Ok(())
}

/// Ends what rests on what is gone: registrations, sockets, what is passed on.
fn end(parts: &Parts, effect: &Effect) {
    let Some(what) = ended(effect) else { return };
    let channels = parts.hub.end(&what);
    let sockets = parts.server.disconnect(|caller| rests(&what, &caller.identity, caller.remote));
    let passed = parts.proxy.end(|who, remote| rests(&what, who, remote));
    if channels + sockets + passed > 0 {
        tracing::info!(channels, sockets, passed, "rights ended");
    }
}

fn ended(effect: &Effect) -> Option<Ended> {
    Some(match effect {
        Effect::Token { hash, .. } => Ended::Token(hash.clone()),
        Effect::Account(account) => Ended::Account(account.clone()),
        Effect::Miner { account, miner } => Ended::Miner(account.clone(), *miner),
        Effect::Signer { account, signer } => Ended::Signer(account.clone(), *signer),
        Effect::Address(address) => Ended::Address(*address),
        Effect::Ip(ip) => Ended::Ip(*ip),
        Effect::Reset => Ended::Everything,
        _ => return None,
    })
}

/// Whether a caller is let in only because of what is gone.
fn rests(what: &Ended, who: &Identity, remote: Option<SocketAddr>) -> bool {
    match what {
        Ended::Token(hash) => !hash.is_empty() && who.token == *hash,
        Ended::Account(account) => !account.is_empty() && who.name == *account,
        Ended::Ip(ip) => remote.is_some_and(|remote| remote.ip().to_canonical() == ip.to_canonical()),
        _ => false,
    }
}
