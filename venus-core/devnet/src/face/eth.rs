//! `Eth*`: nodes have this module switched off, and say how to switch it on.

use super::error::FaceError;
use super::methods::{Answer, Methods, method};
use super::{Face, FaceKind};

pub(super) fn register(m: &mut Methods) {
    method!(m, Read "Filecoin.EthChainId" () => disabled, .idempotent().aliases(&["eth_chainId"]));
    method!(m, Read "Filecoin.EthBlockNumber" () => disabled, .idempotent().aliases(&["eth_blockNumber"]));
    method!(m, Read "Filecoin.EthAccounts" () => disabled, .idempotent().aliases(&["eth_accounts"]));
    method!(m, Read "Filecoin.EthGasPrice" () => disabled, .idempotent().aliases(&["eth_gasPrice"]));
}

async fn disabled(face: Face) -> Answer<String> {
    let node = if face.kind == FaceKind::Venus { "VENUS" } else { "LOTUS" };
    Err(FaceError::said(format!("module disabled, enable with Fevm.EnableEthRPC / {node}_FEVM_ENABLEETHRPC")))
}
