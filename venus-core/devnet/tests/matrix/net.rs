//! A devnet with a face on a socket, and the ways to it.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretSlice};
use venus_core::api::Permissions;
use venus_core::node::{Flavour, Forest, FullNode, Lotus, NodeConfig, RpcNode, Venus};
use venus_core::rpc::ApiInfo;
use venus_core::rpc::client::BackOff;
use venus_devnet::face::{Face, FaceKind, FaceServer, Tokens};

use crate::link::{LOOPBACK, Link};
use crate::support::World;

pub(crate) const FACES: [FaceKind; 3] = [FaceKind::Lotus, FaceKind::Venus, FaceKind::Forest];

/// How a client comes to the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// In the same process.
    Process,
    /// `LotusNode`.
    Lotus,
    /// `VenusNode`.
    Venus,
    /// `ForestNode`.
    Forest,
}

pub(crate) const ADAPTERS: [Way; 3] = [Way::Lotus, Way::Venus, Way::Forest];

/// A devnet, a face of it, and a wire to it.
pub(crate) struct Net {
    pub(crate) world: World,
    pub(crate) face: Face,
    pub(crate) link: Link,
    tokens: Tokens,
    server: FaceServer,
}

impl Net {
    /// A node with the keys of the world, as a Lotus node has those of its miners.
    pub(crate) async fn with_keys(world: World, kind: FaceKind) -> Self {
        let keys = world.signer.clone();
        Self::serve(world, |devnet| Face::new(devnet, kind).with_keys(keys)).await
    }

    /// A node without any key.
    pub(crate) async fn without_keys(world: World, kind: FaceKind) -> Self {
        Self::serve(world, |devnet| Face::new(devnet, kind)).await
    }

    async fn serve(world: World, face: impl FnOnce(venus_devnet::Devnet) -> Face) -> Self {
        let face = face(world.devnet.clone());
        let tokens = Tokens::new(SecretSlice::from(vec![7; 32])).unwrap().like(face.kind());
        let face = face.with_tokens(tokens.clone());
        let server = face.listen(LOOPBACK, tokens.clone()).await.unwrap();
        let link = Link::to(server.local_addr()).await;
        Self { world, face, link, tokens, server }
    }

    /// The node goes down and comes back at another port.
    pub(crate) async fn restart(&mut self) {
        self.link.point(None);
        self.server.shutdown().await;
        self.server = self.face.listen(LOOPBACK, self.tokens.clone()).await.unwrap();
        self.link.point(Some(self.server.local_addr()));
    }

    pub(crate) fn token(&self) -> String {
        self.tokens.issue(Permissions::ALL).expose_secret().to_owned()
    }

    /// A client at the other end of the wire.
    pub(crate) async fn adapter<F: Flavour>(&self, scheme: &str) -> RpcNode<F> {
        let info: ApiInfo = format!("{}:{scheme}://{}", self.token(), self.link.address()).parse().unwrap();
        RpcNode::connect(&info, config()).await.unwrap()
    }

    /// The node, come to in this way.
    pub(crate) async fn node(&self, way: Way) -> Box<dyn FullNode> {
        match way {
            Way::Process => Box::new(self.world.devnet.clone()),
            Way::Lotus => Box::new(self.adapter::<Lotus>("ws").await),
            Way::Venus => Box::new(self.adapter::<Venus>("ws").await),
            Way::Forest => Box::new(self.adapter::<Forest>("ws").await),
        }
    }
}

/// Comes back at once, and asks for the head often where it has to ask.
pub(crate) fn config() -> NodeConfig {
    let mut config = NodeConfig { poll: Some(Duration::from_millis(10)), ..NodeConfig::default() };
    config.client.back_off =
        BackOff { min: Duration::from_millis(1), max: Duration::from_millis(20), factor: 1.5 };
    config
}
