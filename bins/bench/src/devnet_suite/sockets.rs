//! Telling a thousand subscribers of `ChainNotify` over sockets that the head moved.

use std::hint::black_box;

use serde_json::value::RawValue;
use venus_core::api::Permissions;
use venus_core::rpc::ChannelEvent;
use venus_core::rpc::client::{Channel, ClientConfig, Resubscribe, RpcClient};
use venus_core::rpc::server::Everybody;
use venus_devnet::face::{Face, FaceKind, FaceServer};

use super::chain::{Chain, timed};
use super::fan_out::SUBSCRIBERS;
use crate::measure::{BenchError, Effort, Measure, Names, measure_of};

/// Few enough for the files that a process may have open, both ends being in this one.
const SOCKETS: usize = 20;

/// Mining an epoch and reading it from a thousand channels, both ends and the decoding of every frame included,
/// against mining one without subscribers and encoding its block a thousand times.
pub(super) fn measure(effort: &Effort) -> Result<Measure, BenchError> {
    let names = Names { measure: "heads_1000_channels", baseline: "an epoch, and a JSON encoding for each" };
    let (mut chain, mut quiet) = (Chain::new(names, None)?, Chain::new(names, None)?);
    let mut ends = chain.block_on(Ends::start(names, &chain))?;
    // The first value of a channel is the head that it begins with.
    chain.block_on(ends.read())?;
    let mut rounds = Vec::new();
    for _ in 0..effort.rounds.min(31) {
        let ((), ours) = timed(|| {
            chain.mine()?;
            chain.block_on(ends.read())
        })?;
        let ((), alone) = timed(|| {
            let block = quiet.mine()?;
            for _ in 0..SUBSCRIBERS {
                black_box(serde_json::to_vec(&block.header)?);
            }
            Ok(())
        })?;
        rounds.push((ours, alone));
    }
    chain.block_on(ends.stop());
    Ok(measure_of(names, &rounds))
}

/// A face and its subscribers.
struct Ends {
    names: Names,
    server: FaceServer,
    clients: Vec<RpcClient>,
    channels: Vec<Channel<Box<RawValue>>>,
}

impl Ends {
    async fn start(names: Names, chain: &Chain) -> Result<Self, BenchError> {
        let face = Face::new(chain.devnet.clone(), FaceKind::Lotus);
        let address = "127.0.0.1:0".parse().map_err(|e| names.input(e))?;
        let server = face.listen(address, Everybody(Permissions::READ)).await?;
        let url = format!("ws://{}/rpc/v1", server.local_addr());
        let (mut clients, mut channels) = (Vec::new(), Vec::new());
        for _ in 0..SOCKETS {
            let client = RpcClient::connect(&url, ClientConfig::default()).await;
            let client = client.map_err(|e| names.input(e))?;
            for _ in 0..SUBSCRIBERS / SOCKETS {
                let channel = client.channel("Filecoin.ChainNotify", None, Resubscribe::Never).await;
                channels.push(channel.map_err(|e| names.input(e))?);
            }
            clients.push(client);
        }
        Ok(Self { names, server, clients, channels })
    }

    /// Takes the next value of every channel.
    async fn read(&mut self) -> Result<(), BenchError> {
        for channel in &mut self.channels {
            match channel.next().await {
                Some(Ok(ChannelEvent::Value(_))) => {}
                other => return Err(self.names.input(format!("a channel gave {other:?}"))),
            }
        }
        Ok(())
    }

    async fn stop(self) {
        drop(self.channels);
        for client in self.clients {
            client.shutdown().await;
        }
        self.server.shutdown().await;
    }
}
